import { describe, expect, test } from "vitest";
import { ask, askInVain, askStream } from "../../support/envelope.ts";
import { canary, refuse } from "../../support/faults.ts";
import { OPERATOR_KEY, OWN_KEY, startScene } from "../../support/scene.ts";
import type { ScriptedUpstream } from "../../support/upstream.ts";

const question = { user_content: "hi" };
const keysSent = (upstream: ScriptedUpstream) =>
  upstream.requests.map(({ headers }) => headers.authorization);

describe.concurrent("whose key pays", () => {
  const ways: [string, object, Record<string, string>][] = [
    ["the body", { api_key: OWN_KEY }, {}],
    ["the body, with blanks around it", { api_key: ` ${OWN_KEY}\n` }, {}],
    ["Authorization", {}, { authorization: `Bearer ${OWN_KEY}` }],
    ["Authorization in lower case", {}, { authorization: `bearer  ${OWN_KEY}` }],
    ["Api-Key", {}, { "api-key": OWN_KEY }],
    ["openai-token", {}, { "openai-token": OWN_KEY }],
  ];
  test.each(ways)("a key in %s pays for its call", async (_name, body, headers) => {
    const { url, upstream } = await startScene();
    await ask(url, { ...question, ...body }, { headers });
    await ask(url, question);
    expect(keysSent(upstream)).toEqual([`Bearer ${OWN_KEY}`, `Bearer ${OPERATOR_KEY}`]);
    expect(upstream.requests[0]?.bodyText).not.toContain(OWN_KEY);
  });

  test("the body comes first, then Authorization, Api-Key and openai-token", async () => {
    const { url, upstream } = await startScene();
    const headers = { authorization: "Bearer k2", "api-key": "k3", "openai-token": "k4" };
    const { authorization: _a, ...withoutBearer } = headers;
    const { "api-key": _b, ...lastOnly } = withoutBearer;
    await ask(url, { ...question, api_key: "k1" }, { headers });
    await ask(url, { ...question, api_key: "" }, { headers });
    await ask(url, question, { headers: withoutBearer });
    await ask(url, question, { headers: lastOnly });
    expect(keysSent(upstream)).toEqual(["Bearer k1", "Bearer k2", "Bearer k3", "Bearer k4"]);
  });

  test.each([
    ["Basic credentials", { authorization: "Basic dXNlcjpwYXNz" }],
    ["an empty bearer", { authorization: "Bearer " }],
    ["an empty Api-Key", { "api-key": " " }],
    ["a header that is not for keys", { "x-api-key": OWN_KEY, cookie: `key=${OWN_KEY}` }],
  ])("%s is no key of the caller's", async (_name, headers) => {
    const { url, upstream } = await startScene();
    await ask(url, question, { headers });
    expect(keysSent(upstream)).toEqual([`Bearer ${OPERATOR_KEY}`]);
  });

  test("keys of many callers at once stay with their own calls", async () => {
    const { url, upstream } = await startScene();
    const callers = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all(
      callers.map((index) =>
        ask(url, { user_content: `from ${index}`, api_key: `sk-caller-${index}` }),
      ),
    );
    expect(upstream.requests).toHaveLength(callers.length);
    for (const { headers, bodyText } of upstream.requests) {
      const index = /from (\d+)/.exec(bodyText)?.[1];
      expect(headers.authorization).toBe(`Bearer sk-caller-${index}`);
    }
  });

  test.each([
    ["with a line break", "sk-a\r\nX-Evil: 1"],
    ["with a blank", "sk-a b"],
    ["in Chinese", "密钥"],
    ["of blanks alone", "  "],
    ["of 8193 characters", "k".repeat(8_193)],
  ])("a key %s is turned down without being sent", async (_name, key) => {
    const { url, upstream } = await startScene();
    const refused = await askInVain(url, { ...question, api_key: key });
    expect(refused).toMatchObject({
      code: 400,
      data: { error: "key_malformed", field: "api_key" },
    });
    expect(upstream.requests).toHaveLength(0);
  });

  test("a malformed key in a header is blamed on that header", async () => {
    const { url } = await startScene();
    const headers = { authorization: "Bearer two words" };
    const refused = await askInVain(url, question, { headers });
    expect(refused.data).toMatchObject({ error: "key_malformed", field: "Authorization" });
  });

  test("the operator's keys take turns", async () => {
    const { url, upstream } = await startScene({ API_KEY: "k1,k2" });
    for (let call = 0; call < 4; call += 1) await ask(url, question);
    expect(keysSent(upstream)).toEqual(["Bearer k1", "Bearer k2", "Bearer k1", "Bearer k2"]);
  });

  test("a key of the operator's that is turned down is replaced within the call", async () => {
    const { url, upstream } = await startScene({ API_KEY: "sk-bad-one,sk-good-two" });
    expect((await ask(url, question)).data.response).toBe("echo: hi");
    expect(keysSent(upstream)).toEqual(["Bearer sk-bad-one", "Bearer sk-good-two"]);
  });

  test("a caller's bad key is not replaced by the operator's", async () => {
    const { url, upstream } = await startScene();
    await askInVain(url, { ...question, api_key: "sk-bad-caller" });
    expect(keysSent(upstream)).toEqual(["Bearer sk-bad-caller"]);
  });
});

describe.concurrent("what is said of a key that does not work", () => {
  test("none at all is a missing parameter, 400, by name", async () => {
    const { url, upstream } = await startScene({ API_KEY: "" });
    const refused = await askInVain(url, question);
    expect(refused).toMatchObject({ code: 400, data: { error: "key_missing", field: "api_key" } });
    expect(refused.data.response).toContain("api_key");
    expect(upstream.requests).toHaveLength(0);
  });

  test("a caller's that OpenAI answers 401 is a 401", async () => {
    const { url } = await startScene({}, { behaviour: refuse(401) });
    const refused = await askInVain(url, { ...question, api_key: OWN_KEY });
    expect(refused).toMatchObject({ code: 401, data: { error: "key_rejected" } });
    expect(refused.reply.text).not.toContain(canary);
  });

  test("the operator's that OpenAI answers 401 is a 502", async () => {
    const { url } = await startScene({}, { behaviour: refuse(401) });
    const refused = await askInVain(url, question);
    expect(refused).toMatchObject({ code: 502, data: { error: "upstream_key_rejected" } });
    expect(refused.reply.text).not.toMatch(/canary|401|sk-|Incorrect/);
  });

  test("the masked key that OpenAI quotes reaches nobody", async () => {
    const { url } = await startScene({ API_KEY: "sk-bad-operator-1234" });
    for (const body of [question, { ...question, api_key: "sk-bad-caller-5678" }]) {
      const refused = await askInVain(url, body);
      expect(refused.reply.text).not.toMatch(/\*\*|1234|5678|sk-bad/);
    }
  });

  test("a used-up quota is the caller's 429 and the operator's 503", async () => {
    const { url } = await startScene({ API_KEY: "sk-broke-operator" });
    const own = await askInVain(url, { ...question, api_key: "sk-broke-caller" });
    expect(own).toMatchObject({ code: 429, data: { error: "key_exhausted" } });
    const shared = await askInVain(url, question);
    expect(shared).toMatchObject({ code: 503, data: { error: "upstream_exhausted" } });
    expect(shared.reply.text).not.toContain("quota exceeded");
  });

  test("a limit of OpenAI's passes on when to come back", async () => {
    const { url } = await startScene({ API_KEY: "sk-limited" });
    const refused = await askInVain(url, question);
    expect(refused).toMatchObject({ code: 429, data: { error: "upstream_rate_limited" } });
    expect(refused.reply.headers).toMatchObject({ "retry-after": "7", "retry-after-ms": "7000" });
    expect(refused.reply.text).not.toContain("org-scripted");
  });

  test("a key in the words of a refused request is removed from them", async () => {
    const message = "No access for sk-proj-abcdef123456 in org-abcdefgh1234 (Bearer xyz)";
    const { url } = await startScene({}, { behaviour: refuse(400, { message }) });
    const refused = await askInVain(url, question);
    expect(refused).toMatchObject({ code: 400, data: { error: "upstream_refused" } });
    expect(refused.data.response).toContain("No access for [removed] in [removed]");
    expect(refused.reply.text).not.toMatch(/abcdef|xyz/);
  });
});

describe.concurrent("ALLOWED_IPS", () => {
  test("an address outside gets 403 for the operator's key and nothing is asked", async () => {
    const { url, upstream } = await startScene({ ALLOWED_IPS: "203.0.113.0/24" });
    const refused = await askInVain(url, question);
    expect(refused).toMatchObject({ code: 403, data: { error: "address_forbidden" } });
    expect(upstream.requests).toHaveLength(0);
  });

  test("with a key of its own any address may call", async () => {
    const { url, upstream } = await startScene({ ALLOWED_IPS: "203.0.113.0/24" });
    await ask(url, { ...question, api_key: OWN_KEY });
    expect((await askStream(url, { ...question, api_key: OWN_KEY })).done).toBe(true);
    expect(keysSent(upstream)).toEqual([`Bearer ${OWN_KEY}`, `Bearer ${OWN_KEY}`]);
  });

  test("an address inside may spend the operator's key", async () => {
    const { url } = await startScene({ ALLOWED_IPS: "127.0.0.1" });
    await ask(url, question);
    const outside = await askInVain(url, question, { localAddress: "127.0.0.2" });
    expect(outside.code).toBe(403);
  });

  test("a forwarded address counts only from a trusted proxy", async () => {
    const headers = { "x-forwarded-for": "203.0.113.9" };
    const open = await startScene({ ALLOWED_IPS: "203.0.113.0/24", TRUSTED_PROXIES: "loopback" });
    await ask(open.url, question, { headers });
    const closed = await startScene({ ALLOWED_IPS: "203.0.113.0/24" });
    expect((await askInVain(closed.url, question, { headers })).code).toBe(403);
  });
});
