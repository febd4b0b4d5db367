/** What goes wrong with a large answer while it passes: it never looks whole, and its call is settled. */
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { openStream, rawExchange } from "../../support/http.ts";
import type { Behaviour } from "../../support/upstream.ts";
import { announced, embedding, LARGE_BYTES, parts, receive, usageLast } from "./large.ts";
import { bearer, startTokenScene, type TokenScene, WAIT_MS } from "./support.ts";

const urlOf = ({ parley }: TokenScene) => `${parley.origin}/v1/embeddings`;
const large = usageLast();
const failure = {
  error: {
    message: "No more of sk-operator-0123456789",
    type: "requests",
    code: "rate_limit_exceeded",
  },
};
const filling = `"filling":"${"x".repeat(LARGE_BYTES)}"`;

const breaks: readonly (readonly [string, Behaviour, string])[] = [
  [
    "the connection is reset",
    parts([large.slice(0, -9)], ({ cut }) => cut("reset")),
    "upstream_failed",
  ],
  [
    "the connection ends early",
    parts([large.slice(0, -9)], ({ cut }) => cut("fin")),
    "upstream_failed",
  ],
  ["it breaks after its last bracket", parts([large], ({ cut }) => cut("fin")), "upstream_failed"],
  [
    "it breaks after blanks",
    parts([large, "\n", "\n"], ({ cut }) => cut("fin")),
    "upstream_failed",
  ],
  ["its JSON does not end", parts([large.slice(0, -9)]), "upstream_bad_answer"],
  ["its JSON ends twice", parts([large, large]), "upstream_bad_answer"],
  ["blanks never end", parts([large, " ".repeat(140_000), " "]), "upstream_bad_answer"],
  [
    "it turns out to be an error",
    parts([`{${filling},`, JSON.stringify(failure).slice(1)]),
    "upstream_failed",
  ],
  ["it is larger than is allowed", parts([usageLast(3 * LARGE_BYTES)]), "upstream_bad_answer"],
];

test.each(breaks)("%s", async (_what, behaviour, error) => {
  const scene = await startTokenScene({ MAX_ANSWER_BYTES: String(2 * LARGE_BYTES) });
  scene.upstream.behave(behaviour);
  const { status, isWhole, text } = await receive(urlOf(scene), scene.token);
  expect([status, isWhole]).toEqual([200, false]);
  expect(text.length).toBeGreaterThan(60_000);
  expect(() => JSON.parse(text)).toThrow();
  expect(scene.rows()).toMatchObject([{ outcome: "interrupted", error }]);
  expect(await scene.parley.logged(`"error":"${error}"`)).toContain('"status":200');
  scene.upstream.behave(announced(large));
  expect((await receive(urlOf(scene), scene.token)).isWhole).toBe(true);
});

test("the service stops in the middle", async () => {
  const scene = await startTokenScene({ UPSTREAM_IDLE_SECONDS: "1" });
  scene.upstream.behave(parts([large.slice(0, -9)], ({ gone }) => once(gone, "abort")));
  expect(await receive(urlOf(scene), scene.token)).toMatchObject({ status: 200, isWhole: false });
  expect(scene.rows()).toMatchObject([{ outcome: "interrupted", error: "upstream_timeout" }]);
});

test("the process stops in the middle", async () => {
  const scene = await startTokenScene();
  scene.upstream.behave(parts([large.slice(0, -9)], ({ gone }) => once(gone, "abort")));
  const onData = () => scene.parley.parley.openCalls.abortAll();
  const got = await receive(urlOf(scene), scene.token, embedding, { onData });
  expect(got.isWhole).toBe(false);
  expect(scene.rows()).toMatchObject([{ outcome: "interrupted", error: "draining" }]);
});

test("a client of HTTP/1.0, which knows no lengths, has no whole JSON either", async () => {
  const scene = await startTokenScene();
  const ask = () => {
    const head = `POST /v1/embeddings HTTP/1.0\r\nauthorization: Bearer ${scene.token}\r\n`;
    const body = JSON.stringify(embedding);
    const length = `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const waits = { timeoutMs: WAIT_MS, idleMs: WAIT_MS, label: "HTTP/1.0" };
    return rawExchange(scene.parley.port, head + length + body, waits);
  };
  scene.upstream.behave(parts([large]));
  expect((await ask()).endsWith(`\r\n\r\n${large}`)).toBe(true);
  scene.upstream.behave(parts([large], ({ cut }) => cut("fin")));
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 .*x$/s);
});

describe("what is known in time still has its status", () => {
  const env = { MAX_ANSWER_BYTES: String(2 * LARGE_BYTES) };
  const ask = async (text: string) => {
    const scene = await startTokenScene(env);
    scene.upstream.behave(announced(text));
    return receive(urlOf(scene), scene.token);
  };
  test.each([
    ["before the rest", (x: string) => ({ ...failure, filling: x })],
    ["that is long", (x: string) => ({ error: { message: x, type: "server_error" } })],
    [
      "in a list",
      (x: string) => [{ error: { message: "no", type: "permission_denied" }, filling: x }],
    ],
    ["that is all there is", (x: string) => ({ object: "error", message: x, code: 429 })],
  ])("an error %s", async (_where, of) => {
    const large = await ask(JSON.stringify(of("x".repeat(LARGE_BYTES))));
    expect(large.status).toBeGreaterThan(400);
    expect(large.status).toBe((await ask(JSON.stringify(of("x")))).status);
    expect([large.isWhole, large.text.includes("operator-0123")]).toEqual([true, false]);
  });

  test.each([
    ["more than is allowed", usageLast(3 * LARGE_BYTES)],
    ["no JSON", `<html>${filling}`],
  ])("%s", async (_what, text) => {
    expect(await ask(text)).toMatchObject({ status: 502, isWhole: true });
  });

  test("and another key may do", async () => {
    const scene = await startTokenScene({ API_KEY: "sk-one-0123456789,sk-two-0123456789" });
    scene.upstream.behave(({ headers }) =>
      headers.authorization?.includes("one")
        ? announced(`{${JSON.stringify(failure).slice(1, -1)},${filling}}`)
        : announced(large),
    );
    const replies = [];
    for (let call = 0; call < 3; call += 1) replies.push(await receive(urlOf(scene), scene.token));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    const failed = scene.upstream.requests.filter(({ headers }) =>
      headers.authorization?.includes("one"),
    );
    expect(failed.length).toBeLessThanOrEqual(1);
  });
});

describe("words about an error that come late", () => {
  const said = { ...failure, object: "response", status: "failed", usage: { input_tokens: 7 } };
  const text = `{${filling},${JSON.stringify(said).slice(1)}`;
  const ask = async (behaviour: Behaviour) => {
    const scene = await startTokenScene();
    scene.upstream.behave(behaviour);
    return { ...(await receive(urlOf(scene), scene.token)), rows: scene.rows() };
  };

  test.each([0, 40, 60, 70])(
    "pass without secrets, also cut %d bytes before the end",
    async (at) => {
      const cut = text.indexOf("rate_limit") - at;
      const got = await ask(parts([text.slice(0, cut), text.slice(cut)]));
      expect(got.isWhole).toBe(true);
      expect(JSON.parse(got.text)).toMatchObject({ error: { code: "rate_limit_exceeded" } });
      expect(got.text).not.toContain("operator-0123");
      expect(got.rows).toMatchObject([{ outcome: "completed", prompt_tokens: 7 }]);
    },
  );

  test("break off what has told its length, if a secret must go", async () => {
    const got = await ask(announced(text));
    expect([got.isWhole, got.text.includes("operator-0123")]).toEqual([false, false]);
    expect(got.rows).toMatchObject([{ outcome: "interrupted", error: "upstream_failed" }]);
    const harmless = text.replace("sk-operator-0123456789", "this");
    expect((await ask(announced(harmless))).text === harmless).toBe(true);
  });
});

test.each([
  ["", "canceled", "estimated"],
  ["drain:5", "canceled", "reported"],
])("a client that leaves: ON_DISCONNECT=%s", async (policy, outcome, provenance) => {
  const env = policy === "" ? {} : { ON_DISCONNECT: policy };
  const scene = await startTokenScene(env);
  const go = Promise.withResolvers<void>();
  scene.upstream.behave(
    parts([large.slice(0, -40)], async (exchange) => {
      await go.promise;
      exchange.response.end(large.slice(-40));
    }),
  );
  const stream = await openStream(urlOf(scene), embedding, { headers: bearer(scene.token) });
  stream.hangUp();
  if (policy === "") {
    const label = "the upstream is let go";
    await scene.upstream.waitFor(() => scene.upstream.closedEarly.count === 1, {
      label,
      timeoutMs: WAIT_MS,
    });
  } else await scene.parley.logged('"status":499');
  go.resolve();
  await scene.upstream.waitFor(() => scene.upstream.open() === 0, {
    label: "over",
    timeoutMs: WAIT_MS,
  });
  await expect.poll(() => scene.rows()).toMatchObject([{ outcome, provenance }]);
});
