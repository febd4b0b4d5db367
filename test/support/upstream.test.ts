import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as faults from "./faults.ts";
import { deadline, openStream, postJson, rawExchange } from "./http.ts";
import { type Behaviour, createAnswer, type ScriptedUpstream, startUpstream } from "./upstream.ts";

const waitMs = 2_000;
const question = {
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "¿$5 – 你好 👋🏽?" }],
};
const echoed = "echo: ¿$5 – 你好 👋🏽?";
const streamed = { ...question, stream: true };

let upstream: ScriptedUpstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  await deadline(upstream.close(), waitMs, "the upstream closes");
});

describe("the good answer", () => {
  const createClient = () =>
    new OpenAI({ apiKey: "sk-good", baseURL: upstream.url, maxRetries: 0 });

  test("is read by the official client as JSON", async () => {
    const completion = await createClient().chat.completions.create({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "hello" }],
    });
    expect(completion.choices[0]?.message.content).toBe("echo: hello");
    expect(completion.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 11 });
    expect(completion._request_id).toBe("req_1");
  });

  test("is read by the official client as a stream, usage where it is asked for", async () => {
    const stream = await createClient().chat.completions.create({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: [{ type: "text", text: "你好 👋🏽" }] }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    const deltas = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "");
    expect(deltas.join("")).toBe("echo: 你好 👋🏽");
    expect(deltas.filter((delta) => delta !== "").length).toBeGreaterThan(2);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 13 } });
  });

  test("has no usage event where none is asked for", async () => {
    const { events } = await openStream(chatUrl(), streamed);
    const all = await Array.fromAsync(events);
    expect(all.at(-1)).toBe("[DONE]");
    expect(all.filter((event) => event.includes("usage"))).toEqual([]);
  });

  test("covers the other endpoints, through the official client", async () => {
    const client = createClient();
    const text = await client.completions.create({ model: "gpt-3.5-turbo-instruct", prompt: "a" });
    expect(text.choices[0]?.text).toBe("echo: a");
    const texts = await client.completions.create({ model: "m", prompt: "a", stream: true });
    const parts = (await Array.fromAsync(texts)).map((part) => part.choices[0]?.text);
    expect(parts.join("")).toBe("echo: a");

    const response = await client.responses.create({ model: "gpt-4o", input: "b" });
    expect(response.output_text).toBe("echo: b");
    const typed = await client.responses.create({ model: "gpt-4o", input: "b", stream: true });
    const types = (await Array.fromAsync(typed)).map(({ type }) => type);
    expect([types[0], types.at(-1)]).toEqual(["response.created", "response.completed"]);

    const input = ["x", "yy"];
    const unpacked = await client.embeddings.create({ model: "e", input });
    const plain = await client.embeddings.create({ model: "e", input, encoding_format: "float" });
    expect(unpacked.data.map(({ embedding }) => Array.from(embedding))).toEqual(
      plain.data.map(({ embedding }) => embedding),
    );
    expect((await client.moderations.create({ input: "violence" })).results[0]?.flagged).toBe(true);
    expect((await client.models.list()).data.map(({ id }) => id)).toContain("gpt-4o-mini");
  });

  test("can say something else", async () => {
    upstream.behave(createAnswer({ text: (last) => last.toUpperCase() }));
    expect(textOf((await postJson(chatUrl(), { ...question, messages: ["abc"] })).json)).toBe(
      "ABC",
    );
  });

  test.each([
    ["sk-bad-0123456789abcdef", 401, "invalid_api_key", undefined],
    ["sk-limited", 429, "rate_limit_exceeded", "7"],
    ["sk-broke", 429, "insufficient_quota", undefined],
  ])("refuses the key %s with %i", async (key, status, code, retryAfter) => {
    const reply = await postJson(chatUrl(), streamed, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(reply).toMatchObject({ status, json: { error: { code } } });
    expect(reply.headers["retry-after"]).toBe(retryAfter);
    expect(reply.text).not.toContain(`${key}"`);
    if (status === 401) expect(reply.text).toContain("sk-bad-0***********cdef");
  });

  test("refuses unknown paths and requests without a model", async () => {
    expect(await postJson(`${upstream.url}/nothing`, {})).toMatchObject({ status: 404 });
    expect(await postJson(chatUrl(), { messages: [] })).toMatchObject({ status: 400 });
    expect(await postJson(chatUrl(), "not json")).toMatchObject({ status: 400 });
  });
});

describe("the record", () => {
  test("keeps what was sent", async () => {
    await postJson(`${chatUrl()}?a=b`, question, { headers: { "x-mine": "1" } });
    expect(upstream.requests).toMatchObject([
      {
        method: "POST",
        path: "/v1/chat/completions?a=b",
        headers: { "x-mine": "1" },
        json: question,
      },
    ]);
    expect(upstream.requests[0]?.bodyText).toBe(JSON.stringify(question));
  });

  test("counts open answers and those that were left, with the time", async () => {
    upstream.behave(faults.stallMidStream);
    const stream = await openStream(chatUrl(), streamed);
    const leftBeforeHeaders = new AbortController();
    expect(upstream.open()).toBe(1);
    upstream.behave(faults.silent);
    const silent = postJson(chatUrl(), question, { signal: leftBeforeHeaders.signal });
    await upstream.waitFor(
      () => upstream.requests.length === 2,
      disconnectPolicy("second request"),
    );
    expect([upstream.open(), upstream.closedEarly.count]).toEqual([2, 0]);

    const leftAtMs = performance.now();
    stream.hangUp();
    leftBeforeHeaders.abort();
    await expect(silent).rejects.toThrow("aborted");
    await upstream.waitFor(
      () => upstream.closedEarly.count === 2,
      disconnectPolicy("both are seen to go"),
    );
    expect(upstream.open()).toBe(0);
    for (const atMs of upstream.closedEarly.atMs) expect(atMs).toBeGreaterThanOrEqual(leftAtMs);
    expect(await Array.fromAsync(stream.events)).toEqual([]);
  });

  test("does not take an end of its own making for a client that left", async () => {
    for (const fault of [faults.resetMidStream, faults.closeMidStream, faults.http10]) {
      upstream.behave(fault);
      await postJson(chatUrl(), streamed).catch(() => undefined);
      await upstream.waitFor(() => upstream.open() === 0, disconnectPolicy(fault.name));
    }
    expect(upstream.closedEarly).toEqual({ count: 0, atMs: [] });
  });

  test("says what was waited for in vain", async () => {
    const never = upstream.waitFor(() => false, { label: "rain", timeoutMs: 5 });
    await expect(never).rejects.toThrow("rain: not within 5 ms");
  });

  test("chooses the behaviour by the request", async () => {
    upstream.behave(({ headers }) => faults.refuse(headers["x-fail"] === "1" ? 503 : 418));
    const failing = { headers: { "x-fail": "1" } };
    expect((await postJson(chatUrl(), question, failing)).status).toBe(503);
    expect((await postJson(chatUrl(), question)).status).toBe(418);
  });

  test("tells of a behaviour that broke by itself, when it closes", async () => {
    const other = await startUpstream({
      behaviour: { name: "broken", run: () => Promise.reject(new Error("oops")) },
    });
    await expect(postJson(`${other.url}/models`, {})).rejects.toThrow("socket hang up");
    await expect(other.close()).rejects.toThrow("a behaviour broke");
  });
});

describe("refusals", () => {
  const statuses = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529];
  test.each(statuses)("%i comes with OpenAI's error body", async (status) => {
    upstream.behave(faults.refuse(status, { headers: { "x-more": "yes" } }));
    const reply = await postJson(chatUrl(), streamed);
    expect(reply).toMatchObject({ status, headers: { "x-more": "yes" } });
    expect(reply.json).toMatchObject({
      error: { message: expect.stringContaining(faults.canary) },
    });
  });

  test.each([
    ["seconds", "retry-after", /^7$/],
    ["date", "retry-after", / GMT$/],
    ["milliseconds", "retry-after-ms", /^250$/],
    ["day", "retry-after", /^86400$/],
    ["garbage", "retry-after", /^soon$/],
  ] as const)("429 says when to come back as %s", async (form, header, value) => {
    upstream.behave(faults.rateLimited(form));
    const reply = await postJson(chatUrl(), question);
    expect(reply.status).toBe(429);
    expect(reply.headers[header]).toMatch(value);
  });

  test.each([301, 307] as const)("%i points elsewhere", async (status) => {
    upstream.behave(faults.redirect(status, "http://127.0.0.1:9/"));
    const reply = await postJson(chatUrl(), question);
    expect(reply).toMatchObject({ status, headers: { location: "http://127.0.0.1:9/" } });
  });
});

describe("answers that never come, or break", () => {
  test.each([
    [faults.silent, question],
    [faults.stallAfterHeaders, question],
    [faults.stallMidStream, question],
    [faults.stallMidStream, streamed],
    [faults.drip(20), streamed],
  ] as const)("$name is not done in 60 ms", async (fault, body) => {
    upstream.behave(fault);
    const leave = new AbortController();
    const reply = postJson(chatUrl(), body, { signal: leave.signal });
    await expect(deadline(reply, 60, "an answer")).rejects.toThrow(/an answer|aborted/);
    leave.abort();
    await expect(reply).rejects.toThrow("aborted");
  });

  test.each([
    [faults.resetBeforeHeaders, question],
    [faults.resetMidBody, question],
    [faults.resetMidStream, streamed],
    [faults.closeMidStream, streamed],
    [faults.bigHeaders(), question],
    [faults.illegalHeaders, question],
    [faults.wrongContentLength(10), question],
  ] as const)("$name breaks the exchange", async (fault, body) => {
    upstream.behave(fault);
    await expect(deadline(postJson(chatUrl(), body), waitMs, "the break")).rejects.toThrow(
      /hang up|ECONNRESET|aborted|overflow|Header Overflow|Invalid header|Invalid character/i,
    );
  });

  test.each([faults.resetMidStream, faults.closeMidStream])(
    "$name lets some text arrive first",
    async (fault) => {
      upstream.behave(fault);
      const { status, events } = await openStream(chatUrl(), streamed);
      const seen: string[] = [];
      const reading = (async () => {
        for await (const event of events) seen.push(event);
      })();
      await expect(reading).rejects.toThrow();
      expect(status).toBe(200);
      expect(seen.length).toBeGreaterThan(1);
    },
  );

  test("an idle socket is closed behind a good answer that offered to keep it", async () => {
    upstream.behave(faults.closeIdleSocket);
    const head = "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n";
    // Quiet would have to last longer than the deadline: only the closing can end this in time.
    const options = { timeoutMs: waitMs, label: "closed after the answer", idleMs: 2 * waitMs };
    const text = await rawExchange(upstream.port, head, options);
    expect(text).toMatch(/connection: keep-alive/i);
    expect(text).toContain('"gpt-4o-mini"');
  });
});

describe("bodies that lie", () => {
  const whole = (events: string[]) => textOfEvents(events) === echoed && events.includes("[DONE]");

  test.each<[Behaviour, (events: string[]) => boolean]>([
    [faults.finMidStream, (events) => events.length > 1 && !events.includes("[DONE]")],
    [faults.cutInsideEvent, (events) => events.length > 1 && !events.includes("[DONE]")],
    [faults.badJsonEvent, (events) => events.includes('{"choices":[{"delta":')],
    [faults.errorEventMidStream, (events) => events.at(-1)?.startsWith('{"error":') === true],
    [faults.crlfStream, whole],
    [faults.commentsInStream, whole],
    [faults.splitEveryByte, whole],
    [faults.http10, whole],
    [faults.duplicateHeaders, whole],
    [faults.paced(1), whole],
    [faults.slow(10), whole],
    [faults.firstTokenAfter(10), whole],
    [faults.jsonWhereSseAsked, (events) => events.length === 0],
    [faults.errorJson200WhereSseAsked, (events) => events.length === 0],
  ])("$name, as a stream", async (fault, isAsNamed) => {
    upstream.behave(fault);
    const { status, events } = await openStream(chatUrl(), streamed);
    const all = await deadline(Array.fromAsync(events), waitMs, fault.name);
    expect({ status, all, asNamed: isAsNamed(all) }).toMatchObject({ status: 200, asNamed: true });
  });

  test.each<[Behaviour, number, RegExp]>([
    [faults.refuseHtml(), 502, /^<html>/],
    [faults.invalidJson200, 200, /"message":$/],
    [faults.html200, 200, /^<html>/],
    [faults.empty200, 200, /^$/],
    [faults.status204, 204, /^$/],
    [faults.sseWhereJsonAsked, 200, /^data: .*\[DONE\]\n\n$/s],
    [faults.errorJson200WhereSseAsked, 200, /^\{"error":/],
    [faults.finMidStream, 200, /^\{"id":[^\0]*[^}]$/],
    [faults.usageMissing, 200, /^(?!.*"usage")/],
    [faults.usageNegative, 200, /"prompt_tokens":-5/],
    [faults.usageHuge, 200, /"total_tokens":200000000000000000000/],
    [faults.gzipLie, 200, /^\{"id"/],
    [faults.http10, 200, /"finish_reason":"stop"/],
    [faults.splitEveryByte, 200, /echo: ¿\$5 – 你好/],
  ])("$name, as JSON", async (fault, status, text) => {
    upstream.behave(fault);
    const reply = await deadline(postJson(chatUrl(), question), waitMs, fault.name);
    expect(reply.status).toBe(status);
    expect(reply.text).toMatch(text);
  });

  test.each<[Behaviour, RegExp]>([
    [faults.duplicateHeaders, /^content-type: [\s\S]*^content-type: /im],
    [faults.crlfStream, /data: \{[^\n]*\}\r\n\r\n/],
    [faults.commentsInStream, /^: keep-alive\n\n\r\n/m],
    [faults.splitEveryByte, /\r\n1\r\nd\r\n1\r\na\r\n1\r\nt\r\n/],
    [faults.http10, /^HTTP\/1\.0 200 OK\r\n/],
    [faults.illegalHeaders, /^bad name.: /m],
    [faults.stallAfterHeaders, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/],
  ])("$name, as bytes", async (fault, bytes) => {
    upstream.behave(fault);
    const body = JSON.stringify({ ...streamed, messages: [] });
    const lines = [
      "POST /v1/chat/completions HTTP/1.1",
      "host: x",
      `content-length: ${body.length}`,
    ];
    const sent = `${lines.join("\r\n")}\r\n\r\n${body}`;
    const options = { timeoutMs: waitMs, label: fault.name };
    expect(await rawExchange(upstream.port, sent, options)).toMatch(bytes);
  });

  test.each([faults.slow(30), faults.firstTokenAfter(30)])(
    "$name takes its time",
    async (fault) => {
      upstream.behave(fault);
      const startedMs = performance.now();
      await postJson(chatUrl(), question);
      // A timer may fire up to a millisecond early by this clock.
      expect(performance.now() - startedMs).toBeGreaterThan(28);
    },
  );

  test("fewer bytes are promised than sent", async () => {
    upstream.behave(faults.wrongContentLength(-10));
    const reply = await postJson(chatUrl(), question);
    expect(reply.json).toBeUndefined();
  });

  test("behaviours follow each other, the last one repeats", async () => {
    upstream.behave(faults.sequence([faults.refuse(500), faults.refuse(429), faults.empty200]));
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await postJson(chatUrl(), question)).status);
    expect(statuses).toEqual([500, 429, 200, 200]);
  });
});

describe("sizes", () => {
  test("a huge body is a right answer of that length", async () => {
    upstream.behave(faults.hugeBody(3_000_000));
    const reply = await postJson(chatUrl(), question);
    expect(textOf(reply.json)).toHaveLength(3_000_000);
  });

  test("an endless line has no newline", async () => {
    upstream.behave(faults.endlessLine(1_000_000));
    const { text } = await openStream(chatUrl(), streamed);
    const line = await text();
    expect(line.length).toBeGreaterThan(1_000_000);
    expect(line).not.toContain("\n");
  });

  test.each([1, 2])("a gzip bomb in %i layers is small on the wire", async (layers) => {
    upstream.behave(faults.gzipBomb(4_000_000, layers));
    let body = await packedBytes();
    expect(body.length).toBeLessThan(20_000);
    for (let layer = 0; layer < layers; layer += 1) body = gunzipSync(body);
    expect(textOf(JSON.parse(body.toString()))).toHaveLength(4_000_000);
  });

  test("gzip comes although identity was asked", async () => {
    upstream.behave(faults.gzipped);
    const packed = await packedBytes();
    expect(gunzipSync(packed).toString()).toContain('"object":"chat.completion"');
  });

  test("an endless stream goes only as far as it is read, and knows how far", async () => {
    const endless = faults.endlessStream(200 * 1024 * 1024);
    upstream.behave(endless);
    const { events, hangUp } = await openStream(chatUrl(), streamed);
    const reader = events[Symbol.asyncIterator]();
    await reader.next();
    await upstream.waitFor(() => endless.written() > 100_000, disconnectPolicy("the buffers fill"));
    // Sockets on the loopback interface hold some megabytes; two hundred would mean nobody waits.
    expect(endless.written()).toBeLessThan(50 * 1024 * 1024);
    hangUp();
    await upstream.waitFor(
      () => upstream.closedEarly.count === 1,
      disconnectPolicy("the reader has gone"),
    );
    expect(endless.written()).toBeLessThan(50 * 1024 * 1024);
  });

  test("a stream that is read to its end ends well", async () => {
    upstream.behave(faults.endlessStream(500_000));
    const { events } = await openStream(chatUrl(), streamed);
    const all = await Array.fromAsync(events);
    expect(all.at(-1)).toBe("[DONE]");
    expect(textOfEvents(all).length).toBeGreaterThan(400_000);
  });
});

const chatUrl = () => `${upstream.url}/chat/completions`;

const disconnectPolicy = (label: string) => ({ label, timeoutMs: waitMs });

/** The text of an answer or of a delta, or nothing. */
function textOf(json: unknown): string {
  return /"content":"((?:[^"\\]|\\.)*)"/.exec(JSON.stringify(json) ?? "")?.[1] ?? "";
}

const textOfEvents = (events: readonly string[]): string =>
  events.map((event) => (event.startsWith("{") ? textOf(JSON.parse(event)) : "")).join("");

/** The body as it travels: this client never unpacks. */
async function packedBytes(): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const sent = request(chatUrl(), { method: "POST", agent: false }, (response) => {
    resolve(buffer(response));
  });
  sent.once("error", reject);
  sent.end(JSON.stringify(question));
  return await promise;
}
