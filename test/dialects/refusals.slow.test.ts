/** What the upstream says about one request, on its way through every dialect. */
import { describe, expect, test } from "vitest";
import { postJson, type Reply } from "../support/http.ts";
import { type Refusal, refusals, says } from "../support/refusals.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";
import { answer } from "../support/upstream.ts";
import { ADMIN_ENV, bearer, errorOf, question, startTokenScene } from "./openai/support.ts";
import { others } from "./routes.ts";

/** The fields of OpenAI's error object, which is made of any other form. */
const FORM = ["message", "type", "param", "code"];

describe("on /v1 status and words pass, in one call", () => {
  test.each(refusals)("$name, $status", async (refusal) => {
    const scene = await startTokenScene({}, behaving(refusal));
    for (const credential of [scene.token, OWN_KEY]) {
      for (const asked of [question, { ...question, stream: true }]) {
        expectPassed(await scene.ask(asked, { headers: bearer(credential) }), refusal);
      }
    }
    expect(scene.upstream.requests).toHaveLength(4);
    expect(scene.rows().map((row) => row.error)).toEqual(Array(4).fill("upstream_refused"));
  });
});

function expectPassed(reply: Reply, { status, body, words }: Refusal): void {
  expect(reply.status).toBe(status);
  const { error } = reply.json as { error: Record<string, unknown> };
  expect(error.message).toEqual(words ?? expect.stringContaining(String(status)));
  expect(Object.keys(error)).toEqual(expect.arrayContaining(isErrorObject(body) ? [] : FORM));
  expect(reply.headers).not.toHaveProperty("retry-after");
  expect(reply.headers["x-should-retry"]).toBe(status === 429 ? "false" : undefined);
}

/** Passes as it is. */
function isErrorObject(body: unknown): boolean {
  return /^(?:data: )?\{"error":\{/.test(typeof body === "string" ? body : JSON.stringify(body));
}

describe("elsewhere 403 stays, every other status is 400, and the words pass", () => {
  test.each(refusals)("$name, $status", async (refusal) => {
    const scene = await startScene(
      { ACCESS_TOKEN: "open-sesame", CHATS_ACCESS: "open" },
      behaving(refusal),
    );
    for (const [path, body] of others) {
      for (const own of [{}, { "api-key": OWN_KEY }]) {
        const headers = { ...own, "access-token": "open-sesame" };
        const reply = await postJson(`${scene.parley.origin}${path}`, body, { headers });
        expectRefused(reply, refusal);
      }
    }
  });
});

const behaving = ({ status, body, headers }: Refusal) => ({
  behaviour: says(status, body, headers),
});

function expectRefused(reply: Reply, { status, words }: Refusal): void {
  expect(reply.status).toBe(status === 403 ? 403 : 400);
  expect(reply.text).toContain(JSON.stringify(words ?? String(status)).slice(1, -1));
  expect(reply.text).toContain("upstream_refused");
  expect(reply.text).toContain(`"upstream_status":${status}`);
  expect(reply.headers).not.toHaveProperty("retry-after");
}

describe("a refusal of one request is not held against the key", () => {
  test.each(refusals.filter(({ status }) => [402, 403, 429].includes(status)))(
    "$name, $status: the key goes on serving",
    async ({ status, body }) => {
      const scene = await startScene({ API_KEY: "k-limited,k-good" });
      const ask = (user_content: string) => postJson(scene.url, { user_content });
      scene.upstream.behave(({ bodyText, headers }) => {
        if (headers.authorization === "Bearer k-limited")
          return says(429, { error: {} }, { "retry-after": "600" });
        return bodyText.includes("too much") ? says(status, body) : answer;
      });
      await ask("once, so that one key rests");
      await ask("too much");
      for (let time = 0; time < 3; time += 1) expect((await ask("hi")).status).toBe(200);
    },
  );
});

describe("an account without money", () => {
  const empty = [
    [429, "code", { message: "pay", code: "billing_not_active" }],
    [429, "code", { message: "pay", code: "billing_hard_limit_reached" }],
    [429, "type", { message: "pay", type: "insufficient_quota", code: null }],
    [402, "status", { message: "pay" }],
  ] as const;
  test.each(empty)("%i by its %s: %j", async (status, _, error) => {
    const scene = await startTokenScene(
      { API_KEY: "k-1,k-2" },
      { behaviour: says(status, { error }) },
    );
    const own = await scene.ask(question, { headers: bearer(OWN_KEY) });
    expect(own.status).toBe(status);
    expect(errorOf(own)).toMatchObject({
      message: "pay",
      type: "insufficient_quota",
      code: "insufficient_quota",
    });
    const before = scene.upstream.requests.length;
    const shared = await scene.ask();
    expect([shared.status, errorOf(shared).code]).toEqual([503, "upstream_exhausted"]);
    expect(scene.upstream.requests).toHaveLength(before + 2);
    expect(await scene.parley.logged('"error":"upstream_exhausted"')).toMatch(
      /"level":40.*"upstream_status":4/,
    );
    const elsewhere = await postJson(scene.url, { user_content: "hi", api_key: OWN_KEY });
    expect(elsewhere.status).toBe(status);
    expect(elsewhere.text).toMatch(/pay/);
  });
});

describe("the log", () => {
  test("has the upstream's status and code, never its words", async () => {
    const body = { error: { message: "canary", type: "a_type", code: "model_not_found" } };
    const scene = await startScene(ADMIN_ENV, { behaviour: says(404, body) });
    await postJson(scene.url, { user_content: "hi" });
    const line = await scene.parley.logged('"upstream_status":404');
    expect(line).toContain('"upstream_code":"model_not_found"');
    const models = `${scene.parley.origin}/v1/models`;
    await postJson(models, undefined, { method: "GET", headers: bearer(OWN_KEY) });
    expect(scene.parley.log.join("").match(/"upstream_status":404/g)).toHaveLength(2);
    expect(scene.parley.log.join("")).not.toContain("canary");
  });

  test("says at level warn that the operator's key is refused", async () => {
    const scene = await startScene(
      {},
      { behaviour: says(401, { error: { code: "invalid_api_key" } }) },
    );
    await postJson(scene.url, { user_content: "hi" });
    const line = await scene.parley.logged('"upstream_status":401');
    expect(line).toMatch(/"level":40.*"upstream_code":"invalid_api_key"/);
  });
});
