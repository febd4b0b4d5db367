import { DatabaseSync } from "node:sqlite";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { errorCodes, ProxyError } from "../../../src/core/errors.ts";
import { createDescribeStatus } from "../../../src/dialects/ask/grpc/statuses.ts";
import { createTranslate, languages } from "../../../src/locales.ts";
import { refuse, resetMidStream, usageMissing } from "../../support/faults.ts";
import { startGrpc } from "../../support/grpc.ts";
import { postJson } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import { createAnswer, type RecordedRequest } from "../../support/upstream.ts";
import { sendPieces } from "../openai/support.ts";

const translate = createTranslate();

const question = { prompt: "天空 why?" };
const messagesOf = ({ json }: RecordedRequest) =>
  (json as { messages: { role: string; content: string }[] }).messages.map(
    ({ content }) => content,
  );

describe.concurrent("an answer", () => {
  test("comes in pieces, and its end is told by fields and by the mark of before", async () => {
    const { client } = await startGrpc();
    const { deltas, text, last, initial } = await client.ask(question);
    expect(deltas.length).toBeGreaterThan(1);
    expect(text).toBe("echo: 天空 why?");
    expect(last).toEqual({
      response: `<|end|>$${last.conversation_id}$${last.parent_id}`,
      conversation_id: expect.stringMatching(/^[\da-f]{32}$/),
      parent_id: expect.stringMatching(/^\w+$/),
      model: "gpt-4o-mini",
      usage: { prompt_tokens: 7, completion_tokens: 13, total_tokens: 20 },
      finish_reason: "stop",
      omitted: 0,
    });
    expect(initial.get("x-request-id")[0]).toMatch(/^req-/);
  });

  test("leaves out what the upstream did not say", async () => {
    const { client } = await startGrpc({}, { behaviour: usageMissing });
    const { last } = await client.ask(question);
    expect(last.usage).toBeUndefined();
    expect(last.finish_reason).toBe("stop");
  });

  test("comes whole, in messages that are not large, whatever the upstream's pieces are", async () => {
    const text = `a${"\u{1f511}".repeat(100_000)}\ud83d`;
    const { client } = await startGrpc({}, { behaviour: createAnswer({ text: () => text }) });
    const answer = await client.ask(question);
    expect(answer.text).toBe(text.toWellFormed());
    expect(Math.max(...answer.deltas.map(({ length }) => length))).toBeLessThan(20_000);
  });

  test("has characters whole that the upstream has cut in two", async () => {
    const pieces = ["a\\ud83d", "\\ude00b\\ud83d", "\\ud83d\\ude00", "\\ude00"];
    const events = pieces.map((text) => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`);
    const { client } = await startGrpc(
      {},
      { behaviour: sendPieces([...events, "data: [DONE]\n\n"]) },
    );
    const { text, deltas } = await client.ask(question);
    expect(text).toBe("a\u{1f600}b\ufffd\u{1f600}\ufffd");
    expect(deltas.every((delta) => delta.isWellFormed())).toBe(true);
  });

  test("is asked for with the model and the bound that the client chose", async () => {
    const { client, upstream } = await startGrpc();
    await client.ask({ ...question, model: "gpt-4.1", max_tokens: 77 });
    expect(JSON.stringify(upstream.requests[0]?.json)).toMatch(/"gpt-4.1".*77/);
  });

  test("is a line in the log, a row in the ledger's metrics and a label that is no client's text", async () => {
    const { client, parley } = await startGrpc();
    await client.ask(question);
    const line: unknown = JSON.parse(await parley.logged('"ask grpc"'));
    expect(line).toMatchObject({
      route: "ask grpc",
      method: "GRPC",
      status: 200,
      principal: "visitor",
      outcome: "completed",
      prompt_tokens: 7,
    });
    const { text } = await postJson(`${parley.origin}/metrics`, undefined, { method: "GET" });
    expect(text).toContain('parley_http_requests_total{route="ask grpc",status="200"} 1');
    expect(text).toContain('parley_calls_total{dialect="ask",outcome="completed"} 1');
  });
});

describe.concurrent("a conversation", () => {
  test("goes on at its newest answer, or branches from an older one", async () => {
    const { client, upstream, parley } = await startGrpc();
    const first = await client.ask({ prompt: "one" });
    const { conversation_id = "", parent_id = "" } = first.last;
    const second = await client.ask({ prompt: "two", conversation_id });
    expect(second.last.conversation_id).toBe(conversation_id);
    await client.ask({ prompt: "three", conversation_id, parent_id });
    await client.ask({ prompt: "four", conversation_id, parent_id: second.last.parent_id ?? "" });
    expect(upstream.requests.map(messagesOf)).toEqual([
      ["one"],
      ["one", "echo: one", "two"],
      ["one", "echo: one", "three"],
      ["one", "echo: one", "two", "echo: two", "four"],
    ]);
    const tree = await postJson(`${parley.origin}/ask/${conversation_id}`, undefined, {
      method: "GET",
    });
    expect((tree.json as { messages: unknown[] }).messages).toHaveLength(8);
  });

  test.each([
    ["", ""],
    ["new", "new"],
    ["new", ""],
  ])("begins with the ids %j and %j", async (conversation_id, parent_id) => {
    const { client, upstream } = await startGrpc();
    const one = await client.ask({ prompt: "one", conversation_id, parent_id });
    const other = await client.ask({ prompt: "two", conversation_id, parent_id });
    expect(one.last.conversation_id).not.toBe(other.last.conversation_id);
    expect(upstream.requests.map(messagesOf)).toEqual([["one"], ["two"]]);
  });

  test("of a key is nobody else's", async () => {
    const { client } = await startGrpc();
    const { last } = await client.ask({ prompt: "one", api_key: OWN_KEY });
    const conversation_id = last.conversation_id ?? "";
    await client.ask({ prompt: "two", conversation_id, api_key: OWN_KEY });
    for (const api_key of ["sk-another-key-000", ""]) {
      const refused = await client.askInVain({ prompt: "two", conversation_id, api_key });
      expect(refused.code).toBe(status.NOT_FOUND);
    }
  });

  test("keeps what came of an answer that broke", async () => {
    const { client, upstream } = await startGrpc();
    const { last } = await client.ask({ prompt: "one" });
    const conversation_id = last.conversation_id ?? "";
    upstream.behave(resetMidStream);
    const broken = await client.askInVain({ prompt: "two three four", conversation_id });
    expect(broken.code).toBe(status.UNAVAILABLE);
    expect(broken.deltas.join("")).toMatch(/^echo/);
    expect(broken.trailers.get("error-code")).toEqual(["upstream_failed"]);
  });
});

const wrong: [string, object, string, string | undefined][] = [
  ["no prompt", {}, "field_empty", "prompt"],
  ["a parent alone", { prompt: "x", parent_id: "p" }, "field_needs", "parent_id"],
  ["too many tokens", { prompt: "x", max_tokens: 100_000 }, "field_range", "max_tokens"],
  ["no token", { prompt: "x", max_tokens: 0 }, "field_range", "max_tokens"],
  ["less than no token", { prompt: "x", max_tokens: -1 }, "field_range", "max_tokens"],
  ["another model", { prompt: "x", model: "gpt-9" }, "field_choice", "model"],
];

describe.concurrent("a mistake", () => {
  test.each(wrong)("in the request is told: %s", async (_what, request, code, field = "") => {
    const { client, upstream } = await startGrpc({ ALLOWED_MODELS: "gpt-4o-mini" });
    const refused = await client.askInVain(request);
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.details).toContain(field);
    expect(refused.trailers.get("error-code")).toEqual([code]);
    expect(refused.trailers.get("x-request-id")[0]).toMatch(/^req-/);
    expect(upstream.requests).toHaveLength(0);
  });

  test("is told in the language of the call, else in the server's", async () => {
    const { client } = await startGrpc({ LANG: "ru_RU.UTF-8" });
    const details = async (language: string) => {
      const metadata: Record<string, string> =
        language === "" ? {} : { "accept-language": language };
      return (await client.askInVain({}, { metadata })).details;
    };
    expect(await details("en")).toBe("The field prompt must not be empty.");
    expect(await details("zh-CN")).toBe("字段 prompt 不能为空。");
    expect(await details("zh-TW")).toBe("欄位 prompt 不可為空。");
    expect(await details("")).toMatch(/^Поле prompt/);
  });

  test("of a conversation that is not there is told, and of an answer that is not in it", async () => {
    const { client } = await startGrpc();
    const conversation_id = (await client.ask({ prompt: "one" })).last.conversation_id ?? "";
    const absent = await client.askInVain({ prompt: "x", conversation_id: "0".repeat(32) });
    expect(absent.code).toBe(status.NOT_FOUND);
    expect(absent.trailers.get("error-code")).toEqual(["conversation_not_found"]);
    const unknown = await client.askInVain({ prompt: "x", conversation_id, parent_id: "nothing" });
    expect(unknown.code).toBe(status.NOT_FOUND);
    expect(unknown.trailers.get("error-code")).toEqual(["message_not_found"]);
  });

  test("with half a character or percent signs in it breaks nothing", async () => {
    const { client } = await startGrpc({ ALLOWED_MODELS: "100%25,模型" });
    const { details } = await client.askInVain({ prompt: "x", model: "\ud800".repeat(2_000) });
    expect(details).toContain("100%25, 模型");
    await client.ask({ prompt: "x \ud800 y" });
  });

  test("of ours shows the request id and nothing else, and is in the log", async () => {
    const { client, parley } = await startGrpc();
    const { last } = await client.ask(question);
    const database = new DatabaseSync(`${parley.config.DATA_DIR}/parley.sqlite`);
    database.exec("update turns set answer = 'sealed with no key'");
    database.close();
    const conversation_id = last.conversation_id ?? "";
    const { code, details, trailers } = await client.askInVain({ prompt: "and?", conversation_id });
    expect(code).toBe(status.INTERNAL);
    const [requestId] = trailers.get("x-request-id");
    expect(details).toBe(translate("en", "error.internal", { requestId: String(requestId) }));
    expect(await parley.logged("unexpected error")).toContain(`"request_id":"${requestId}"`);
    expect(parley.log.join("")).not.toMatch(/天空|sealed with/);
  });
});

describe.concurrent("an error of the upstream", () => {
  const told: [number, status, string][] = [
    [400, status.INVALID_ARGUMENT, "upstream_refused"],
    [401, status.INTERNAL, "upstream_key_rejected"],
    [402, status.UNAVAILABLE, "upstream_exhausted"],
    [403, status.PERMISSION_DENIED, "upstream_refused"],
    [424, status.INVALID_ARGUMENT, "upstream_refused"],
    [429, status.RESOURCE_EXHAUSTED, "upstream_rate_limited"],
    [500, status.UNAVAILABLE, "upstream_failed"],
  ];
  test.each(told)("%i is status %i", async (upstreamStatus, code, name) => {
    const headers = { "retry-after": "7" };
    const { client } = await startGrpc({}, { behaviour: refuse(upstreamStatus, { headers }) });
    const refused = await client.askInVain(question);
    expect(refused.code).toBe(code);
    expect(refused.trailers.get("error-code")).toEqual([name]);
    if (upstreamStatus !== 429) return;
    expect(refused.trailers.get("retry-after")).toEqual(["7"]);
    expect(refused.trailers.get("retry-after-ms")).toEqual(["7000"]);
  });

  test("about the caller's own key is the caller's", async () => {
    const { client } = await startGrpc({}, { behaviour: refuse(401) });
    const refused = await client.askInVain({ ...question, api_key: OWN_KEY });
    expect(refused.code).toBe(status.UNAUTHENTICATED);
  });

  test.each(errorCodes)("%s has a status and a text in every language", (code) => {
    const describeStatus = createDescribeStatus(translate);
    for (const language of languages) {
      const context = { requestId: "req-1", language } as Parameters<typeof describeStatus>[0];
      const { details, metadata } = describeStatus(context, new ProxyError(code));
      expect(details.length).toBeGreaterThan(5);
      expect(metadata.get("error-code")).toEqual([code]);
    }
  });
});

describe.concurrent("credentials", () => {
  const ways: [string, Readonly<Record<string, string>>, string | undefined][] = [
    ["authorization", { authorization: `Bearer ${OWN_KEY}` }, undefined],
    ["api-key", { "api-key": OWN_KEY }, undefined],
    ["openai-token", { "openai-token": OWN_KEY }, undefined],
    ["the field api_key, which comes first", { "api-key": "sk-other" }, OWN_KEY],
  ];
  test.each(ways)("are taken from %s", async (_way, metadata, api_key) => {
    const { client, upstream } = await startGrpc({ API_KEY: "" });
    await client.ask({ ...question, ...(api_key === undefined ? {} : { api_key }) }, { metadata });
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
  });

  test("that are none or not known are refused", async () => {
    const { client } = await startGrpc({ SHARED_KEY: "token" });
    const none = await client.askInVain(question);
    expect(none.code).toBe(status.UNAUTHENTICATED);
    expect(none.trailers.get("error-code")).toEqual(["token_needed"]);
    const metadata = { "access-token": "parley-nobody" };
    const unknown = await client.askInVain(question, { metadata });
    expect(unknown.trailers.get("error-code")).toEqual(["token_rejected"]);
    const malformed = await client.askInVain({ ...question, api_key: "ключ" });
    expect(malformed.code).toBe(status.UNAUTHENTICATED);
  });

  test("are nobody's in the log and in what is answered", async () => {
    const { client, parley } = await startGrpc({}, { behaviour: refuse(401) });
    const metadata = { authorization: `Bearer ${OWN_KEY}` };
    const refused = await client.askInVain(question, { metadata });
    await parley.logged('"ask grpc"');
    expect(JSON.stringify([refused, parley.log])).not.toContain(OWN_KEY);
    expect(JSON.stringify([refused, parley.log])).not.toContain(OPERATOR_KEY);
  });
});

describe.concurrent("the address of a client", () => {
  const metadata = { "x-forwarded-for": "203.0.113.9, 198.51.100.7" };

  test("is what a trusted proxy says", async () => {
    const { client, parley } = await startGrpc({ TRUSTED_PROXIES: "loopback", MINUTE_LIMIT: "1" });
    await client.ask(question, { metadata });
    expect(await parley.logged('"ask grpc"')).toContain('"client":"198.51.100.7"');
    await client.ask(question, { metadata: { forwarded: 'for="[2001:db8::5]"' } });
    expect((await client.askInVain(question, { metadata })).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  test("is the connection's, whatever others say, and the operator is told of that", async () => {
    const { client, parley } = await startGrpc({ ALLOWED_IPS: "198.51.100.7" });
    for (let calls = 0; calls < 20; calls += 1) {
      const refused = await client.askInVain(question, { metadata });
      expect(refused.code).toBe(status.PERMISSION_DENIED);
    }
    expect(await parley.logged("shared_peer")).toContain('"peer":"127.0.0.1"');
  });
});

describe.concurrent("limits", () => {
  test("are one budget with HTTP", async () => {
    const clock = createHeldClock();
    const { client, parley } = await startGrpc({ MINUTE_LIMIT: "3" }, { clock });
    await client.ask(question);
    const over = () => postJson(`${parley.origin}/ask/new`, { prompt: "x" });
    expect((await over()).status).toBe(200);
    await client.ask(question);
    clock.forward(12_000);
    const refused = await client.askInVain(question, { metadata: { "accept-language": "zh-CN" } });
    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    const limited = { limit: 3, window: "minute", wait_seconds: 48 };
    expect(refused.details).toBe(translate("zh_CN", "error.rate_limited", limited));
    expect(refused.trailers.getMap()).toMatchObject({
      "error-code": "rate_limited",
      "retry-after": "48",
      "retry-after-ms": "48000",
    });
    expect((await over()).status).toBe(429);
  });

  test("of open answers hold", async () => {
    const { client, upstream } = await startGrpc(
      { STREAM_LIMIT: "1" },
      { behaviour: { name: "held", run: ({ response }) => void response.flushHeaders() } },
    );
    const open = client.open(question);
    open.on("error", () => undefined);
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    const refused = await client.askInVain(question);
    expect(refused.trailers.get("error-code")).toEqual(["streams_limited"]);
    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    open.cancel();
  });
});
