/** Questions and answers that are large. */
import { expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { wantsStream } from "../../support/upstream.ts";
import { bearer, EMBEDDER, MODEL, startTokenScene } from "./support.ts";

test("embeddings of half a megabyte are passed on and paid", async () => {
  const scene = await startTokenScene();
  const url = `${scene.parley.origin}/v1/embeddings`;
  const asked = { model: EMBEDDER, input: "hi", dimensions: 100_000 };
  const { status, text } = await postJson(url, asked, { headers: bearer(scene.token) });
  expect([status, text.length > 490_000]).toEqual([200, true]);
  expect(scene.rows()).toMatchObject([{ provenance: "reported", prompt_tokens: 2 }]);
});

test("a body with an image of 20 MB goes on as it is, streamed or not", async () => {
  const scene = await startTokenScene({ MAX_BODY_BYTES: "30000000" });
  const url = `data:image/png;base64,${"A".repeat(20_000_000)}`;
  const content = [{ type: "image_url", image_url: { url } }];
  for (const stream of [false, true]) {
    const asked = { model: MODEL, messages: [{ role: "user", content }], stream };
    expect((await scene.ask(asked)).status).toBe(200);
    const got = scene.upstream.requests.at(-1);
    expect(got !== undefined && wantsStream(got)).toBe(stream);
    expect(got?.bodyText.includes(url)).toBe(true);
  }
  expect(scene.rows()).toMatchObject([{ outcome: "completed" }, { outcome: "completed" }]);
});
