/** What a token gives its holder, and what it never gives away. */
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { postJson } from "../../support/http.ts";
import { startParley } from "../../support/parley.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import { bearer, EMBEDDER, errorOf, MODEL, question, startTokenScene } from "./support.ts";

const OWN_UPSTREAM_KEY = "sk-of-the-token-abcdef012345";

describe.concurrent("a quota", () => {
  test("of ten requests lets ten of forty calls at once through, exactly", async () => {
    const scene = await startTokenScene();
    const { token, id } = await scene.issue({ requests_per_day: 10 });
    const calls = Array.from({ length: 40 }, (_, index) =>
      postJson(scene.chat, { ...question, stream: index % 2 === 0 }, { headers: bearer(token) }),
    );
    const replies = await Promise.all(calls);
    const refused = replies.filter(({ status }) => status === 429);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(refused).toHaveLength(30);
    for (const reply of refused) {
      expect(errorOf(reply)).toMatchObject({
        type: "insufficient_quota",
        code: "insufficient_quota",
        quota: "requests",
        period: "day",
      });
      expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
    }
    expect(scene.upstream.requests).toHaveLength(10);
    expect(scene.rows().filter((row) => row.token_id === id)).toHaveLength(10);
  });

  test("of tokens counts every answer that is asked for", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ tokens_per_day: 1_000 });
    const ask = (fields: object) =>
      postJson(scene.chat, { ...question, ...fields }, { headers: bearer(token) });
    expect((await ask({ max_tokens: 400 })).status).toBe(200);
    const many = await ask({ max_tokens: 400, n: 4 });
    expect([many.status, errorOf(many).code]).toEqual([429, "insufficient_quota"]);
    expect(many.headers["retry-after"]).toBeUndefined();
    const prompt = ["a", "b", "c", "d"];
    const body = { model: "gpt-3.5-turbo-instruct", prompt, max_tokens: 400 };
    const url = `${scene.parley.origin}/v1/completions`;
    expect((await postJson(url, body, { headers: bearer(token) })).status).toBe(429);
    expect((await ask({ max_tokens: Number.MAX_SAFE_INTEGER })).status).toBe(429);
    expect((await ask({ max_tokens: 400, n: 1e300 })).status).toBe(429);
    expect(scene.upstream.requests).toHaveLength(1);
  });

  test("that is used up says so, and the holder still sees what was used", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ requests_per_day: 1 });
    const headers = bearer(token);
    expect((await scene.ask(question, { headers })).status).toBe(200);
    const refused = await scene.ask(question, { headers });
    expect([refused.status, errorOf(refused).message]).toEqual([
      429,
      expect.stringContaining("used up"),
    ]);
    const usage = await postJson(`${scene.parley.origin}/usage`, undefined, {
      method: "GET",
      headers,
    });
    expect(usage.status).toBe(200);
    expect(usage.json).toMatchObject({ by_day: [{ requests: 1 }] });
  });

  test("that is too small for one call says so", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ tokens_per_day: 100 });
    const refused = await scene.ask({ ...question, max_tokens: 400 }, { headers: bearer(token) });
    expect([refused.status, errorOf(refused).message]).toEqual([
      429,
      expect.stringContaining("too small"),
    ]);
  });

  test("of few tokens is enough for embeddings, which write nothing", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ tokens_per_day: 100 });
    const body = { model: EMBEDDER, input: "a few words" };
    const url = `${scene.parley.origin}/v1/embeddings`;
    expect((await postJson(url, body, { headers: bearer(token) })).status).toBe(200);
  });
});

describe.concurrent("the windows of a token", () => {
  test("hold for its holder alone and say which one is full", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ minute_limit: 2 });
    const ask = () => postJson(scene.chat, question, { headers: bearer(token) });
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const refused = await ask();
    expect([refused.status, errorOf(refused)]).toMatchObject([
      429,
      { code: "rate_limit_exceeded", window: "minute", limit: 2 },
    ]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(50);
    expect((await scene.ask()).status).toBe(200);
    expect(scene.upstream.requests).toHaveLength(3);
  });

  test("are not filled by calls that were refused for their model", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ minute_limit: 1, models: [MODEL, "gpt-unpriced"] });
    const ask = (model: string) =>
      postJson(scene.chat, { ...question, model }, { headers: bearer(token) });
    const wrong = [await ask("gpt-forbidden"), await ask("gpt-unpriced"), await ask("")];
    expect(wrong.map(({ status }) => status)).toEqual([403, 400, 400]);
    expect((await ask(MODEL)).status).toBe(200);
    expect((await ask(MODEL)).status).toBe(429);
  });
});

describe.concurrent("whose key pays", () => {
  test("an upstream key of the token's own is used and never seen again", async () => {
    const scene = await startTokenScene();
    const { token, id } = await scene.issue({ upstream_key: OWN_UPSTREAM_KEY });
    const reply = await postJson(scene.chat, question, { headers: bearer(token) });
    expect(reply.status).toBe(200);
    expect(scene.upstream.requests[0]?.headers.authorization).toBe(`Bearer ${OWN_UPSTREAM_KEY}`);
    const { origin } = scene.parley;
    const usage = await postJson(`${origin}/usage`, undefined, {
      method: "GET",
      headers: bearer(token),
    });
    const seen = [reply.text, reply.headers, usage.text, scene.rows(), scene.parley.log];
    expect(JSON.stringify(seen)).not.toContain(OWN_UPSTREAM_KEY);
    expect(JSON.stringify(seen)).toContain(id.slice(0, 4));
  });

  test("a token's own upstream key that fails is not told either", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ upstream_key: "sk-bad-of-a-token-0123" });
    const reply = await postJson(scene.chat, question, { headers: bearer(token) });
    expect([reply.status, errorOf(reply).code]).toEqual([502, "upstream_key_rejected"]);
    expect(reply.text).not.toContain("sk-bad");
    // the operator's key does not step in for it
    expect(scene.upstream.requests).toHaveLength(1);
  });

  test("a token whose key no SECRET_KEY opens any more says why", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ upstream_key: OWN_UPSTREAM_KEY });
    const DATA_DIR = scene.parley.config.DATA_DIR;
    const lost = { DATA_DIR, SECRET_KEY: "x".repeat(40), OPENAI_URL: scene.upstream.url };
    const parley = closeAfterFile(await startParley(lost));
    const url = `${parley.origin}/v1/chat/completions`;
    const reply = await postJson(url, question, { headers: bearer(token) });
    expect([reply.status, errorOf(reply)]).toEqual([
      500,
      expect.objectContaining({ code: "internal", reason: "secret_key" }),
    ]);
    const other = await postJson(url, question, { headers: bearer(scene.token) });
    expect(other.status).toBe(401);
    expect(scene.upstream.requests).toEqual([]);
  });

  test("a token in any header pays with the operator's key and never goes upstream", async () => {
    const scene = await startTokenScene();
    const { token } = scene;
    const ways = [
      { authorization: `Bearer ${token}` },
      { authorization: `bearer  ${token} ` },
      { "api-key": token },
      { "openai-token": token },
      { "access-token": token },
    ];
    for (const headers of ways) {
      const reply = await postJson(scene.chat, question, { headers });
      expect([headers, reply.status]).toEqual([headers, 200]);
    }
    const body = { user_content: "hi", model: MODEL, api_key: token };
    expect((await postJson(scene.url, body)).status).toBe(200);
    expect(scene.upstream.requests).toHaveLength(ways.length + 1);
    expect(JSON.stringify(scene.upstream.requests)).not.toContain(token);
    for (const { headers } of scene.upstream.requests) {
      expect(headers.authorization).toBe(`Bearer ${OPERATOR_KEY}`);
    }
    expect(scene.rows().map(({ token_id }) => token_id)).toEqual(Array(6).fill(scene.id));
    expect(scene.parley.log.join("")).not.toContain(token);
  });

  test("a token in a query pays for nothing", async () => {
    const scene = await startTokenScene();
    for (const name of ["token", "access_token", "access-token", "key", "api_key"]) {
      const url = `${scene.chat}?${name}=${scene.token}`;
      expect((await postJson(url, question)).status).toBe(401);
    }
    expect(scene.upstream.requests).toEqual([]);
    expect(scene.parley.log.join("")).not.toContain(scene.token);
  });

  test("an own key comes before a token", async () => {
    const scene = await startTokenScene();
    const headers = { "api-key": OWN_KEY };
    expect((await scene.ask(question, { headers })).status).toBe(200);
    expect(scene.upstream.requests[0]?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    expect(scene.rows()).toMatchObject([{ payer_kind: "own-key", token_id: null }]);
  });

  test("with SHARED_KEY=token only token holders spend the operator's key, in all dialects", async () => {
    const scene = await startTokenScene({ SHARED_KEY: "token" });
    const asked = { user_content: "hi", model: MODEL };
    expect((await postJson(scene.url, asked)).status).toBe(401);
    expect((await postJson(scene.chat, question)).status).toBe(401);
    expect(scene.upstream.requests).toEqual([]);
    expect((await scene.ask()).status).toBe(200);
    const headers = bearer(scene.token);
    expect((await postJson(scene.url, asked, { headers })).status).toBe(200);
    expect((await postJson(scene.chat, question, { headers: bearer(OWN_KEY) })).status).toBe(200);
  });
});

test.each<[string, object]>([
  ["/v1/chat/completions", { ...question, Model: "another", MAX_TOKENS: 9, N: 9 }],
  [
    "/chat_complete",
    { prompt: "hi", generate_params: { model: MODEL, Model: "another", MAX_TOKENS: 9, N: 9 } },
  ],
])("on %s nothing is sent that a service may take for the model or a bound", async (path, body) => {
  const { parley, upstream, token } = await startTokenScene();
  const reply = await postJson(`${parley.origin}${path}`, body, { headers: bearer(token) });
  expect(reply.status).toBe(200);
  const sent = upstream.requests[0]?.bodyText ?? "";
  expect(sent).toContain(MODEL);
  expect(sent).not.toMatch(/another|MAX_TOKENS|"N"/);
});
