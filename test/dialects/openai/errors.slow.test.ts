/** Every refusal is OpenAI's error object with the status its clients know. */
import { AuthenticationError, BadRequestError, RateLimitError } from "openai";
import { describe, expect, test } from "vitest";
import {
  badJsonEvent,
  canary,
  closeMidStream,
  cutInsideEvent,
  errorEventMidStream,
  finMidStream,
  html200,
  rateLimited,
  refuse,
  resetBeforeHeaders,
  resetMidBody,
  resetMidStream,
} from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { OPERATOR_KEY } from "../../support/scene.ts";
import { admin, bearer, errorOf, MODEL, question, startTokenScene } from "./support.ts";

describe.concurrent("who may not call is told so with 401", () => {
  test("without a token, and with one that nobody issued, that ran out or was revoked", async () => {
    const scene = await startTokenScene();
    const { origin } = scene.parley;
    const revoked = await scene.issue();
    await admin(origin, "DELETE", `/tokens/${revoked.id}`);
    const wrong = [
      {},
      { authorization: "Bearer " },
      { authorization: "Basic dXNlcjpwYXNz" },
      bearer("parley-0000000000000000000000000000000000"),
      bearer(`${scene.token}x`),
      bearer(revoked.token),
      { "access-token": revoked.token },
      { "api-key": revoked.token },
    ];
    const paths = ["/v1/chat/completions", "/chat", "/v1/embeddings", "/v1/responses"];
    // from an address for each path: guesses from one are slowed down
    for (const [at, path] of paths.entries()) {
      const localAddress = `127.0.1.${at + 1}`;
      for (const headers of wrong) {
        const reply = await postJson(origin + path, question, { headers, localAddress });
        expect([reply.status, path, headers]).toEqual([401, path, headers]);
        const { type, code } = errorOf(reply);
        expect([type, code]).toEqual(["authentication_error", "invalid_api_key"]);
        expect(reply.headers["x-should-retry"]).toBe("false");
      }
    }
    for (const [at, path] of ["/v1/models", "/usage", "/data/week"].entries()) {
      const localAddress = `127.0.2.${at + 1}`;
      for (const headers of wrong) {
        const get = { method: "GET", headers, localAddress };
        const reply = await postJson(origin + path, undefined, get);
        expect([reply.status, errorOf(reply).code]).toEqual([401, "invalid_api_key"]);
      }
    }
    expect(scene.upstream.requests).toEqual([]);
    expect(scene.rows()).toEqual([]);
    expect(scene.parley.log.join("")).not.toContain(revoked.token);
  });

  test("also where a token has run out", async () => {
    let nowMs = Date.now();
    const clock = {
      monotonicMs: () => nowMs,
      wallMs: () => nowMs,
      sleep: () => Promise.resolve(),
    };
    const scene = await startTokenScene({}, { clock });
    const { token } = await scene.issue({ expires: "1h" });
    expect((await postJson(scene.chat, question, { headers: bearer(token) })).status).toBe(200);
    nowMs += 3_600_001;
    const reply = await postJson(scene.chat, question, { headers: bearer(token) });
    expect([reply.status, errorOf(reply).code]).toEqual([401, "invalid_api_key"]);
  });

  test("an own key that the upstream refuses, as the official client knows it", async () => {
    const scene = await startTokenScene();
    const asked = scene.client("sk-bad-0123456789abcdef").chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: "hi" }],
    });
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(JSON.stringify(error)).not.toContain("sk-bad");
  });
});

describe.concurrent("what a token may not have", () => {
  test("is a model without a price, said in the words of the contract", async () => {
    const scene = await startTokenScene();
    for (const path of ["/v1/chat/completions", "/chat"]) {
      const body = { ...question, model: "gpt-unpriced" };
      const headers = bearer(scene.token);
      const reply = await postJson(scene.parley.origin + path, body, { headers });
      expect(reply.status).toBe(400);
      expect(errorOf(reply)).toMatchObject({
        type: "invalid_request_error",
        code: "model_not_priced",
        param: "model",
      });
      expect(errorOf(reply).message).toContain("gpt-unpriced");
    }
    const asked = scene.client().embeddings.create({ model: "none", input: "x" });
    await expect(asked).rejects.toBeInstanceOf(BadRequestError);
    expect(scene.upstream.requests).toEqual([]);
  });

  test("is a model that is not on its list, nor none", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ models: ["gpt-4o"] });
    const ask = (body: unknown) => postJson(scene.chat, body, { headers: bearer(token) });
    const forbidden = await ask(question);
    expect([forbidden.status, errorOf(forbidden)]).toMatchObject([
      403,
      { type: "permission_error", code: "model_forbidden", param: "model" },
    ]);
    const missing = await ask({ messages: [] });
    expect([missing.status, errorOf(missing).param]).toEqual([400, "model"]);
    expect(scene.upstream.requests).toEqual([]);
  });
});

describe.concurrent("a request that can't be right is refused before anyone is asked", () => {
  test.each([
    [400, "{", {}],
    [400, "[]", {}],
    [400, '"text"', {}],
    [400, Uint8Array.of(0x22, 0xff, 0x22), {}],
    [400, { ...question, stream: "yes" }, {}],
    [400, { ...question, model: 4 }, {}],
    [400, { ...question, max_tokens: -2 }, {}],
    [400, "[".repeat(100) + "]".repeat(100), {}],
    [413, "x".repeat(2_000_000), {}],
    [415, question, { "content-type": "text/plain" }],
    [415, question, { "content-encoding": "gzip" }],
  ])("with %i", async (status, body, headers) => {
    const scene = await startTokenScene({ MAX_BODY_BYTES: "1000000" });
    const reply = await scene.ask(body, { headers });
    expect([reply.status, errorOf(reply).type]).toEqual([status, "invalid_request_error"]);
    expect(scene.upstream.requests).toEqual([]);
    expect(scene.rows()).toEqual([]);
  });

  test("an unknown path under /v1 is 404, a wrong method 405 with what is right", async () => {
    const scene = await startTokenScene();
    const send = (method: string, path: string) =>
      postJson(scene.parley.origin + path, method === "GET" ? undefined : {}, { method });
    for (const path of ["/v1", "/v1/", "/v1/nothing", "/v1/chat/completions/x", "/v1/uploads"]) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const reply = await send(method, path);
        expect([reply.status, errorOf(reply).code]).toEqual([404, "not_found"]);
      }
    }
    for (const [method, path, allow] of [
      ["GET", "/v1/chat/completions", "POST"],
      ["DELETE", "/v1/responses", "POST"],
      ["POST", "/v1/models", "GET"],
      ["GET", "/chat", "POST"],
      ["POST", "/usage", "GET"],
      ["POST", "/data/week", "GET"],
    ] as const) {
      const reply = await send(method, path);
      expect([path, reply.status, errorOf(reply).code]).toEqual([path, 405, "method_not_allowed"]);
      expect(reply.headers.allow).toBe(allow);
    }
  });
});

describe.concurrent("what the upstream refuses", () => {
  test.each([400, 403, 404, 409, 413, 415, 422, 424, 451])(
    "with %i comes in its own words, keys taken out",
    async (status) => {
      const secret = "sk-proj-abcdefghijklmnop";
      const message = `no such thing; ${OPERATOR_KEY}, ${secret} of org-AbCdEfGh12345`;
      const behaviour = refuse(status, { message, type: "odd_error", code: "odd" });
      const scene = await startTokenScene({}, { behaviour });
      for (const body of [question, { ...question, stream: true }]) {
        const reply = await scene.ask(body);
        expect(reply.status).toBe(status);
        expect(errorOf(reply)).toEqual({
          message: "no such thing; [removed], [removed] of [removed]",
          type: "odd_error",
          param: null,
          code: "odd",
        });
        expect(reply.headers["content-type"]).toContain("application/json");
      }
      expect(scene.rows()).toMatchObject([
        { outcome: "failed", error: "upstream_refused", cost: null },
        { outcome: "failed", error: "upstream_refused", cost: null },
      ]);
    },
  );

  test("with 401 is our trouble, and the operator's key is hidden", async () => {
    const message = `${canary}: wrong key ${OPERATOR_KEY}`;
    const scene = await startTokenScene({}, { behaviour: refuse(401, { message }) });
    const reply = await scene.ask();
    expect([reply.status, errorOf(reply)]).toMatchObject([
      502,
      { type: "server_error", code: "upstream_key_rejected" },
    ]);
    for (const text of [reply.text, JSON.stringify(reply.headers), scene.parley.log.join("")]) {
      expect(text).not.toContain(canary);
      expect(text).not.toContain(OPERATOR_KEY);
    }
  });

  test.each([500, 502, 503, 529])("with %i is told without its text", async (status) => {
    const scene = await startTokenScene({}, { behaviour: refuse(status) });
    const reply = await scene.ask();
    expect([reply.status, errorOf(reply).type]).toEqual([502, "server_error"]);
    expect(reply.text).not.toContain(canary);
  });

  test.each([
    ["nothing", resetBeforeHeaders, question],
    ["half an answer", resetMidBody, question],
    ["a page", html200, question],
  ])("by sending %s is 502", async (_name, behaviour, body) => {
    const scene = await startTokenScene({}, { behaviour });
    const reply = await scene.ask(body);
    expect([reply.status, errorOf(reply).type]).toEqual([502, "server_error"]);
    // it was asked, and may have worked
    expect(scene.rows()).toMatchObject([{ outcome: "failed", provenance: "estimated" }]);
  });

  test("for now is 429 with when to come back, whoever says so", async () => {
    const scene = await startTokenScene({ MINUTE_LIMIT: "3" });
    scene.upstream.behave(rateLimited("seconds"));
    const upstreams = await scene.ask();
    expect([upstreams.status, errorOf(upstreams)]).toMatchObject([
      429,
      { type: "rate_limit_error", code: "rate_limit_exceeded" },
    ]);
    expect(upstreams.headers).toMatchObject({ "retry-after": "7", "retry-after-ms": "7000" });
    await scene.ask();
    await scene.ask();
    const ours = await scene.ask();
    expect([ours.status, errorOf(ours)]).toMatchObject([
      429,
      { type: "rate_limit_error", code: "rate_limit_exceeded", window: "minute", limit: 3 },
    ]);
    expect(Number(ours.headers["retry-after"])).toBeGreaterThan(50);
    expect(ours.headers["x-ratelimit-remaining-requests"]).toBe("0");
    const asked = scene.client().chat.completions.create({ model: MODEL, messages: [] });
    await expect(asked).rejects.toBeInstanceOf(RateLimitError);
    expect(scene.upstream.requests).toHaveLength(3);
  });
});

describe.concurrent("a stream that breaks", () => {
  test.each(
    [
      [resetMidStream, "upstream_failed"] as const,
      [closeMidStream, "upstream_failed"] as const,
      [finMidStream, "upstream_failed"] as const,
      [cutInsideEvent, "upstream_failed"] as const,
      // in the upstream's own words
      [errorEventMidStream, null] as const,
    ].map(([behaviour, code]) => [behaviour.name, behaviour, code] as const),
  )("by %s ends with an error event and without [DONE]", async (_name, behaviour, code) => {
    const scene = await startTokenScene({}, { behaviour });
    const body = { ...question, stream: true };
    const { status, events } = await openStream(scene.chat, body, { headers: bearer(scene.token) });
    const texts = await Array.fromAsync(events);
    expect(status).toBe(200);
    expect(texts).not.toContain("[DONE]");
    expect(texts.length).toBeGreaterThan(2);
    expect(JSON.parse(texts.at(-1) ?? "")).toMatchObject({
      error: { type: "server_error", code, param: null },
    });
    expect(scene.rows()).toMatchObject([{ outcome: "interrupted", error: "upstream_failed" }]);
  });

  test("throws in the official client", async () => {
    const scene = await startTokenScene({}, { behaviour: resetMidStream });
    const stream = await scene.client().chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: "Hello?" }],
      stream: true,
    });
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: "upstream_failed" });
  });

  test("with an event that nobody can read is passed on: the bytes are the upstream's", async () => {
    const scene = await startTokenScene({}, { behaviour: badJsonEvent });
    const { text } = await scene.ask({ ...question, stream: true });
    expect(text).toContain('data: {"choices":[{"delta":\n\n');
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });
});
