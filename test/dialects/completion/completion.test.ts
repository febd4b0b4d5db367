import { describe, expect, test } from "vitest";
import { html200, invalidJson200, refuse, silent } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { OPERATOR_KEY, OWN_KEY, startScene } from "../../support/scene.ts";
import { bearer, startTokenScene } from "../openai/support.ts";
import { complete, refusal } from "./support.ts";

const own = { "openai-token": OWN_KEY };

describe.concurrent("a question at /chat_complete", () => {
  test("is answered with the upstream's object, its text and a status", async () => {
    const { parley, upstream } = await startScene();
    const reply = await complete(parley.origin, { prompt: "hi" }, own);
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toMatch("application/json");
    expect(reply.json).toMatchObject({
      id: "chatcmpl-1",
      object: "chat.completion",
      model: "gpt-4o-mini",
      choices: [{ message: { content: "echo: hi" } }],
      usage: { total_tokens: 10 },
      text: "echo: hi",
      status: "ok",
    });
    const [asked] = upstream.requests;
    expect(asked?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    expect(asked?.json).toEqual({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "hi" }],
    });
  });

  test("carries every parameter on as it is, but none that is ours", async () => {
    const { parley, upstream } = await startScene();
    const params = {
      model_name: "gpt-4o",
      model: "ignored",
      temperature: 0.8,
      max_tokens: 3_000,
      seed: "SEED",
      logit_bias: { "50256": -100 },
      api_key: "sk-smuggled",
      messages: [{ role: "user", content: "smuggled" }],
    };
    const body = JSON.stringify({ prompt: "hi", generate_params: params });
    const text = body.replace('"SEED"', "12345678901234567890");
    await postJson(`${parley.origin}/chat_complete`, text, {
      headers: { ...own, "content-type": "application/json" },
    });
    const [asked] = upstream.requests;
    expect(asked?.bodyText).toContain('"seed":12345678901234567890');
    expect(asked?.bodyText).not.toContain("smuggled");
    expect(asked?.json).toMatchObject({
      model: "gpt-4o",
      temperature: 0.8,
      max_tokens: 3_000,
      logit_bias: { "50256": -100 },
    });
  });

  test("may be messages, which a prompt goes before", async () => {
    const { parley, upstream } = await startScene();
    const messages = [
      { role: "system", content: "be brief" },
      { role: "user", content: [{ type: "text", text: "hi" }] },
    ];
    await complete(parley.origin, { messages, generate_params: null }, own);
    await complete(parley.origin, { messages, prompt: "first" }, own);
    await complete(parley.origin, { messages, prompt: "" }, own);
    const asked = upstream.requests.map(({ json }) => Reflect.get(Object(json), "messages"));
    expect(asked).toEqual([messages, [{ role: "user", content: "first" }], messages]);
  });

  test("bounds the answer under the name that the model wants", async () => {
    const { parley, upstream } = await startScene();
    const generate_params = { model: "o3", max_tokens: 7 };
    await complete(parley.origin, { prompt: "hi", generate_params }, own);
    expect(upstream.requests[0]?.json).toMatchObject({ max_completion_tokens: 7 });
    expect(upstream.requests[0]?.json).not.toHaveProperty("max_tokens");
  });

  test.each([
    [{}, "prompt"],
    [{ prompt: "" }, "prompt"],
    [{ prompt: null, messages: [] }, "prompt"],
    [{ prompt: 7 }, "prompt"],
    [{ messages: "hi" }, "messages"],
    [{ messages: [{ content: "hi" }] }, "messages[0].role"],
    [{ messages: [{ role: "user", content: 7 }] }, "messages[0].content"],
    [{ prompt: "hi", generate_params: [] }, "generate_params"],
    [{ prompt: "hi", generate_params: { stream: "yes" } }, "generate_params.stream"],
    [{ prompt: "hi", generate_params: { model_name: 7 } }, "generate_params.model_name"],
  ])("that is wrong is refused and the field named: %j", async (body, field) => {
    const { parley, upstream } = await startScene();
    const reply = await complete(parley.origin, body, own);
    expect(reply.status).toBe(400);
    expect(reply.json).toMatchObject({ status: "error", field });
    expect(upstream.requests).toHaveLength(0);
  });

  test("can name allowed models only", async () => {
    const { parley } = await startScene({ ALLOWED_MODELS: "gpt-4o-mini, gpt-4o" });
    const ask = (generate_params: object) =>
      complete(parley.origin, { prompt: "hi", generate_params }, own);
    expect((await ask({ model: "gpt-4o" })).status).toBe(200);
    const refused = await ask({ model_name: "o3" });
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ field: "generate_params.model_name" });
  });
});

describe.concurrent("the access token", () => {
  const gate = { ACCESS_TOKEN: "open-sesame" };
  const body = { prompt: "hi" };

  test("is asked for where one is set, before anything is read", async () => {
    const { parley, upstream } = await startScene(gate);
    const headers = { ...own, "accept-language": "ru" };
    const reply = await complete(parley.origin, "no json", headers);
    expect(reply.status).toBe(403);
    expect(reply.json).toMatchObject({ status: "error", code: "access_token_rejected" });
    expect(reply.text).toMatch(/Доступ/);
    for (const given of ["", "open", "open-sesame-and-more", "parley-made-up"]) {
      const refused = await refusal(parley.origin, body, { ...own, "access-token": given });
      expect(refused).toBe("403 access_token_rejected");
    }
    expect(upstream.requests).toHaveLength(0);
  });

  test("opens for the caller's own key, else for the operator's", async () => {
    const { parley, upstream } = await startScene(gate);
    const access = { "access-token": "open-sesame" };
    expect((await complete(parley.origin, body, { ...access, ...own })).status).toBe(200);
    expect((await complete(parley.origin, body, access)).status).toBe(200);
    const keys = upstream.requests.map(({ headers }) => headers.authorization);
    expect(keys).toEqual([`Bearer ${OWN_KEY}`, `Bearer ${OPERATOR_KEY}`]);
  });

  test("is no token, even if it looks like one", async () => {
    const { parley } = await startScene({ ACCESS_TOKEN: "parley-is-our-word" });
    const access = { "access-token": "parley-is-our-word" };
    expect((await complete(parley.origin, body, access)).status).toBe(200);
  });

  test("may be a token of this server, which then pays and is written down", async () => {
    const { parley, token: secret, rows } = await startTokenScene(gate);
    const paid = await complete(parley.origin, body, { "access-token": secret });
    expect(paid.status).toBe(200);
    expect((await complete(parley.origin, body, bearer(secret))).status).toBe(200);
    expect(rows()).toMatchObject([
      { dialect: "completion", payer_kind: "token", total_tokens: 10, outcome: "completed" },
      { dialect: "completion", payer_kind: "token" },
    ]);
  });

  test("is not asked for where none is set; an own key or the operator's will do", async () => {
    const { parley } = await startScene();
    expect((await complete(parley.origin, body, { "access-token": "123456" })).status).toBe(200);
    const { parley: keyless } = await startScene({ API_KEY: "" });
    expect(await refusal(keyless.origin, body)).toBe("401 key_missing");
    expect((await complete(keyless.origin, body, own)).status).toBe(200);
  });
});

describe.concurrent("a failure at /chat_complete", () => {
  test.each([
    [refuse(429), "429 upstream_rate_limited"],
    [refuse(500), "502 upstream_failed"],
    [html200, "502 upstream_bad_answer"],
    [invalidJson200, "502 upstream_bad_answer"],
  ])("has its status and the dialect's form", async (behaviour, expected) => {
    const { parley } = await startScene({}, { behaviour });
    expect(await refusal(parley.origin, { prompt: "hi" }, own)).toBe(expected);
  });

  test("never shows a key, and neither does the log", async () => {
    const { parley } = await startScene();
    const key = "sk-bad-0123456789abcdef";
    const reply = await complete(parley.origin, { prompt: "hi" }, { "openai-token": key });
    expect(reply.status).toBe(401);
    await parley.logged("completion POST /chat_complete");
    expect(reply.text + parley.log.join("")).not.toContain(key);
  });

  test("of the limits is a 429 that says when to come back", async () => {
    const { parley } = await startScene({ MINUTE_LIMIT: "1" });
    await complete(parley.origin, { prompt: "hi" }, own);
    const reply = await complete(parley.origin, { prompt: "hi" }, own);
    expect(reply.status).toBe(429);
    expect(reply.json).toMatchObject({ status: "error", code: "rate_limited", window: "minute" });
    expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
    expect(reply.headers.ratelimit).toContain("minute");
  });
});

describe.concurrent("around it", () => {
  test("GET explains in the caller's language, on a page that can run nothing", async () => {
    const { parley } = await startScene({ MODEL: "<script>" });
    const options = { method: "GET", headers: { "accept-language": "zh-CN" } };
    const page = await postJson(`${parley.origin}/chat_complete`, undefined, options);
    expect(page).toMatchObject({ status: 200 });
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.text).toContain('lang="zh-CN"');
    expect(page.text).not.toContain("<script");
  });

  test("a client that hangs up closes the upstream", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: silent });
    const leaving = new AbortController();
    const asked = openStream(
      `${parley.origin}/chat_complete`,
      { prompt: "hi", generate_params: { stream: true } },
      { headers: own, signal: leaving.signal },
    ).catch(() => undefined);
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    leaving.abort();
    await asked;
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the upstream is closed",
      timeoutMs: 5_000,
    });
  });
});
