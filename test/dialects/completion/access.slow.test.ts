import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import type { ScriptedUpstream } from "../../support/upstream.ts";
import { admin, bearer, issue, rowsIn } from "../openai/support.ts";
import { complete, completeInVain, OWN, startCompletion, startWithToken } from "./support.ts";

const ACCESS = "secret-access-123";
const LIKE_A_TOKEN = "parley-but-the-operator-made-it-up";
const question = { prompt: "hi" };
const paidWith = ({ requests }: ScriptedUpstream) =>
  requests.map(({ headers }) => headers.authorization?.replace("Bearer ", ""));

describe.concurrent("with ACCESS_TOKEN", () => {
  const ways: [string, Record<string, string>, string][] = [
    ["the secret and an own key", { "access-token": ACCESS, ...OWN }, OWN_KEY],
    ["the secret alone", { "access-token": ACCESS }, OPERATOR_KEY],
    ["the secret and a key as Bearer", { "access-token": ACCESS, ...bearer(OWN_KEY) }, OWN_KEY],
  ];
  test.each(ways)("%s opens", async (_what, headers, key) => {
    const { at, upstream } = await startCompletion({ ACCESS_TOKEN: ACCESS });
    await complete(at, question, { headers });
    expect(paidWith(upstream)).toEqual([key]);
    expect(JSON.stringify(upstream.requests)).not.toContain(ACCESS);
  });

  test("ACCESS_KEY is the same setting", async () => {
    const { at } = await startCompletion({ ACCESS_KEY: ACCESS });
    expect((await completeInVain(at, question)).code).toBe("access_token_rejected");
    await complete(at, question, { headers: { "access-token": ACCESS } });
  });

  const closed: [string, Record<string, string>][] = [
    ["nothing", {}],
    ["an own key alone", OWN],
    ["a wrong secret", { "access-token": "123456", ...OWN }],
    ["an empty secret", { "access-token": "", ...OWN }],
    ["half of the secret", { "access-token": ACCESS.slice(0, -1), ...OWN }],
    ["more than the secret", { "access-token": `${ACCESS}x`, ...OWN }],
    ["the secret as Bearer", { ...bearer(ACCESS), ...OWN }],
    ["a token nobody issued", { "access-token": "parley-0123456789", ...OWN }],
    ["a token nobody issued, as Bearer", { ...bearer("parley-0123456789"), ...OWN }],
  ];
  test.each(closed)("%s is a 403", async (_what, headers) => {
    const { at, upstream } = await startCompletion({ ACCESS_TOKEN: ACCESS });
    const refusal = await completeInVain(at, question, { headers });
    expect(refusal).toMatchObject({
      reply: { status: 403 },
      code: "access_token_rejected",
      status: "error",
      field: "access-token",
    });
    expect(upstream.requests).toHaveLength(0);
  });

  test("the reason is in the language of the caller", async () => {
    const { at } = await startCompletion({ ACCESS_TOKEN: ACCESS, LANG: "ru_RU.UTF-8" });
    expect((await completeInVain(at, question)).text).toMatch(/^Доступ запрещён/);
    const headers = { "accept-language": "en" };
    expect((await completeInVain(at, question, { headers })).text).toMatch(/^Access denied/);
  });

  test("whom it keeps out, it does not read", async () => {
    const { at } = await startCompletion({ ACCESS_TOKEN: ACCESS });
    const headers = { "content-type": "application/json" };
    expect((await completeInVain(at, "{", { headers })).code).toBe("access_token_rejected");
    const inside = { ...headers, "access-token": ACCESS };
    expect((await completeInVain(at, "{", { headers: inside })).code).toBe("body_not_json");
  });

  test("who is kept out is counted", async () => {
    const { at } = await startCompletion({ ACCESS_TOKEN: ACCESS, MINUTE_LIMIT: "1" });
    await completeInVain(at, question);
    const headers = { "access-token": ACCESS };
    expect((await completeInVain(at, question, { headers })).code).toBe("rate_limited");
  });

  test("one that looks like a token opens and is not taken for one", async () => {
    const { at, upstream } = await startCompletion({ ACCESS_TOKEN: LIKE_A_TOKEN });
    const headers = { "access-token": LIKE_A_TOKEN };
    await complete(at, question, { headers: { ...headers, ...OWN } });
    await complete(at, question, { headers });
    expect(paidWith(upstream)).toEqual([OWN_KEY, OPERATOR_KEY]);
    const wrong = { "access-token": `${LIKE_A_TOKEN}x` };
    expect((await completeInVain(at, question, { headers: wrong })).code).toBe(
      "access_token_rejected",
    );
  });

  test("it opens the gate, and nothing that the operator keeps for others", async () => {
    const headers = { "access-token": ACCESS };
    const tokens = await startCompletion({ ACCESS_TOKEN: ACCESS, SHARED_KEY: "token" });
    expect(await completeInVain(tokens.at, question, { headers })).toMatchObject({
      reply: { status: 401 },
      code: "token_needed",
    });
    const listed = await startCompletion({ ACCESS_TOKEN: ACCESS, ALLOWED_IPS: "192.0.2.1" });
    expect(await completeInVain(listed.at, question, { headers })).toMatchObject({
      reply: { status: 403 },
      code: "address_forbidden",
    });
    await complete(listed.at, question, { headers: { ...headers, ...OWN } });
  });
});

describe.concurrent("the holder of a token", () => {
  test.each(["access-token", "authorization"])("comes in with it as %s", async (name) => {
    const { at, token, id, upstream, parley } = await startWithToken({ ACCESS_TOKEN: ACCESS });
    const headers = name === "authorization" ? bearer(token) : { [name]: token };
    await complete(at, question, { headers });
    expect(paidWith(upstream)).toEqual([OPERATOR_KEY]);
    await complete(at, question, { headers: { ...headers, ...OWN } });
    expect(paidWith(upstream)).toEqual([OPERATOR_KEY, OWN_KEY]);
    const rows = rowsIn(parley.config.DATA_DIR);
    expect(rows.map(({ payer_kind, token_id }) => [payer_kind, token_id])).toEqual([
      ["token", id],
      ["own-key", null],
    ]);
  });

  test("pays with the token that opened, whatever else is there", async () => {
    const { at, token, id, parley } = await startWithToken({ ACCESS_TOKEN: ACCESS });
    const wrong = "parley-0123456789";
    await complete(at, question, { headers: { "access-token": token, ...bearer(wrong) } });
    await complete(at, question, { headers: { "access-token": wrong, ...bearer(token) } });
    await complete(at, question, { headers: { "access-token": ACCESS, ...bearer(token) } });
    expect(rowsIn(parley.config.DATA_DIR).map((row) => row.token_id)).toEqual([id, id, id]);
  });

  test("is kept out once the token is revoked", async () => {
    const { at, token, id, parley } = await startWithToken({ ACCESS_TOKEN: ACCESS });
    await admin(parley.origin, "DELETE", `/tokens/${id}`);
    const headers = { "access-token": token };
    expect(await completeInVain(at, question, { headers })).toMatchObject({
      reply: { status: 403 },
      code: "access_token_rejected",
    });
  });

  test("is held to the token's models, prices and quotas", async () => {
    const { at, parley } = await startWithToken();
    const limited = await issue(parley.origin, { models: ["gpt-4o"], requests_per_day: 1 });
    const headers = { "access-token": limited.token };
    expect(await completeInVain(at, question, { headers })).toMatchObject({
      reply: { status: 403 },
      code: "model_forbidden",
    });
    const generate_params = { model_name: "gpt-4o" };
    await complete(at, { ...question, generate_params }, { headers });
    expect(await completeInVain(at, { ...question, generate_params }, { headers })).toMatchObject({
      reply: { status: 429 },
      code: "quota_exceeded",
      quota: "requests",
    });
  });

  test("reserves for every answer that is asked for", async () => {
    const { at, parley, upstream } = await startWithToken();
    const { token } = await issue(parley.origin, { tokens_per_day: 1_000 });
    const headers = { "access-token": token };
    const generate_params = { max_tokens: 300, n: 4 };
    expect((await completeInVain(at, { ...question, generate_params }, { headers })).code).toBe(
      "quota_exceeded",
    );
    expect(upstream.requests).toHaveLength(0);
    await complete(at, { ...question, generate_params: { max_tokens: 300 } }, { headers });
  });
});

describe.concurrent("without ACCESS_TOKEN", () => {
  test("an own key is enough, wherever it stands", async () => {
    const { at, upstream } = await startCompletion({ API_KEY: "" });
    await complete(at, question, { headers: OWN });
    await complete(at, question, { headers: { "access-token": "123456", ...OWN } });
    await complete(at, question, { headers: bearer(OWN_KEY) });
    await complete(at, question, { headers: { "api-key": OWN_KEY } });
    await complete(at, { ...question, api_key: OWN_KEY });
    expect(paidWith(upstream)).toEqual(Array(5).fill(OWN_KEY));
    expect(JSON.stringify(upstream.requests[4]?.json)).not.toContain(OWN_KEY);
  });

  test("nobody's access-token is asked, and visitors spend the operator's key", async () => {
    const { at, upstream } = await startCompletion();
    await complete(at, question);
    await complete(at, question, { headers: { "access-token": "123456" } });
    expect(paidWith(upstream)).toEqual([OPERATOR_KEY, OPERATOR_KEY]);
  });

  test("without any key there is a 401 that says so", async () => {
    const { at } = await startCompletion({ API_KEY: "" });
    const headers = { "access-token": "123456" };
    expect(await completeInVain(at, question, { headers })).toMatchObject({
      reply: { status: 401 },
      code: "key_missing",
      field: "openai-token",
    });
  });

  test("an unknown token is a 401", async () => {
    const { at } = await startCompletion();
    const headers = { "access-token": "parley-0123456789" };
    expect(await completeInVain(at, question, { headers })).toMatchObject({
      reply: { status: 401 },
      code: "token_rejected",
    });
  });

  test("a key that cannot be one is refused without being shown", async () => {
    const { at } = await startCompletion();
    const headers = { "openai-token": "sk-with a blank" };
    const refusal = await completeInVain(at, question, { headers });
    expect(refusal).toMatchObject({ reply: { status: 400 }, field: "openai-token" });
    expect(refusal.reply.text).not.toContain("blank");
  });
});

test("no secret stands in a log, an error, a row or a request of others", async () => {
  const scene = await startWithToken({ ACCESS_TOKEN: ACCESS });
  const { at, token, upstream, parley } = scene;
  const bad = "sk-bad-0123456789-abcdefgh";
  const said = "the riddle of the sphinx";
  const replies = [
    await postJson(at, { prompt: said }, { headers: { "access-token": ACCESS, ...OWN } }),
    await postJson(at, { prompt: said }, { headers: { "access-token": token } }),
    await postJson(
      at,
      { prompt: said },
      { headers: { "access-token": ACCESS, "openai-token": bad } },
    ),
    await postJson(
      at,
      { prompt: said },
      { headers: { "access-token": `${ACCESS}-wrong`, ...OWN } },
    ),
    await postJson(at, { prompt: 7 }, { headers: { "access-token": ACCESS, ...OWN } }),
  ];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 401, 403, 400]);
  const seen = JSON.stringify([
    parley.log,
    rowsIn(parley.config.DATA_DIR),
    replies.map(({ headers, text, status }) => (status === 200 ? [headers] : [headers, text])),
  ]);
  for (const secret of [ACCESS, token, OWN_KEY, OPERATOR_KEY, bad, "sk-bad-0", said]) {
    expect(seen).not.toContain(secret);
  }
  for (const { headers } of upstream.requests) {
    expect(headers["access-token"]).toBeUndefined();
    expect(headers["openai-token"]).toBeUndefined();
  }
});
