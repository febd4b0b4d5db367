/** Whole answers hold their room until their readers have them. */
import { expect, test } from "vitest";
import { openStream, postJson } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";
import type { Behaviour } from "../../support/upstream.ts";
import { bearer } from "./support.ts";

/** Two of these are nearly the share of an address, and more than a kernel takes for a reader. */
const LARGE_BYTES = 15 * 1_048_576;
const large: Behaviour = {
  name: "a large answer",
  run: ({ response }) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      `{"object":"list","data":"${"x".repeat(LARGE_BYTES)}","usage":{"prompt_tokens":1}}`,
    );
  },
};

test("readers that take nothing hold the share of their address, and no other", async () => {
  const { parley } = await startScene({}, { behaviour: large });
  const url = `${parley.origin}/v1/embeddings`;
  const question = { model: "m", input: "hi" };
  const options = (name: string, localAddress = "127.0.0.1") => ({
    headers: { ...bearer("sk-own"), "idempotency-key": name },
    localAddress,
  });
  const held = await Promise.all(
    ["1", "2"].map((name) => openStream(url, question, options(name))),
  );
  expect(held.map(({ status }) => status)).toEqual([200, 200]);
  let isAnswered = false;
  const third = postJson(url, question, options("3")).finally(() => {
    isAnswered = true;
  });
  expect((await postJson(url, question, options("4", "127.0.0.2"))).status).toBe(200);
  expect(isAnswered).toBe(false);
  held[0]?.hangUp();
  const { status, text } = await third;
  expect([status, text.length > LARGE_BYTES]).toEqual([200, true]);
  held[1]?.hangUp();
});
