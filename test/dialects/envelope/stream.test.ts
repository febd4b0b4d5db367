import { describe, expect, test } from "vitest";
import { askInVain, askStream } from "../../support/envelope.ts";
import * as faults from "../../support/faults.ts";
import { deadline, openStream, postJson } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";
import { answer, type Behaviour, createAnswer, goodHeaders } from "../../support/upstream.ts";

const question = { user_content: "why is the sky blue?" };

describe.concurrent("a streamed answer", () => {
  test("comes as deltas, the whole answer and [DONE]", async () => {
    const { url, upstream } = await startScene();
    const { head, deltas, last, done } = await askStream(url, { sys_content: "s", ...question });
    expect(head.status).toBe(200);
    expect(head.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "content-language": "en",
      vary: "Accept-Language",
      "access-control-allow-origin": "*",
      "x-content-type-options": "nosniff",
    });
    expect(head.headers["x-request-id"]).toMatch(/^req-\w{10}-[0-9a-z]+$/);
    expect(deltas.length).toBeGreaterThan(1);
    const text = "echo: why is the sky blue?";
    expect(deltas.join("")).toBe(text);
    expect(last).toEqual({
      code: 200,
      msg: "success",
      done: true,
      data: {
        response: text,
        model: "gpt-4o-mini",
        usage: { prompt_tokens: 21, completion_tokens: 26, total_tokens: 47 },
        finish_reason: "stop",
        continuous: [
          { role: "system", content: "s" },
          { role: "user", content: question.user_content },
          { role: "assistant", content: text },
        ],
        done: true,
      },
    });
    expect(done).toBe(true);
    expect(upstream.requests[0]?.json).toEqual({
      model: "gpt-4o-mini",
      messages: [
        { role: "system", content: "s" },
        { role: "user", content: question.user_content },
      ],
      max_tokens: 100,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("ends with the old fields for a client of the old names", async () => {
    const { url } = await startScene();
    const { last } = await askStream(url, { ...question, system_content: "s" });
    expect(last?.current_response).toBe(last?.data.response);
    expect(last?.result).toEqual(last?.data.continuous);
  });

  test("speaks the language that was asked for", async () => {
    const { url } = await startScene();
    const headers = { "accept-language": "zh-CN" };
    const { head, last } = await askStream(url, question, { headers });
    expect(head.headers["content-language"]).toBe("zh-CN");
    expect(last?.msg).toBe("成功");
  });

  test("reaches the client piece by piece, not at its end", async () => {
    const { url, upstream } = await startScene({}, { behaviour: faults.stallMidStream });
    const stream = await openStream(url, { ...question, stream: true });
    const events = stream.events[Symbol.asyncIterator]();
    const first = await deadline(Promise.resolve(events.next()), 5_000, "the first delta");
    expect(JSON.parse(String(first.value))).toMatchObject({ data: { delta: expect.any(String) } });
    expect(upstream.open()).toBe(1);
    stream.hangUp();
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the upstream is closed when its reader leaves",
      timeoutMs: 5_000,
    });
  });

  const role = JSON.stringify({ choices: [{ index: 0, delta: { role: "assistant" } }] });
  test.each([
    ["the role", `data: ${role}\n\n`],
    ["a comment", ": PROCESSING\n\n"],
    ["a comment that says nothing", ":\n"],
    ["blanks", "\n"],
  ])("begins before the first word is there, with %s", async (_name, first) => {
    const behaviour: Behaviour = {
      name: "no word",
      run: async ({ request, response, write }) => {
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        await write(first);
      },
    };
    const { url } = await startScene({}, { behaviour });
    const stream = await deadline(
      openStream(url, { ...question, stream: true }),
      5_000,
      "the head of the answer",
    );
    expect(stream.status).toBe(200);
    stream.hangUp();
  });

  test.each([
    ["text that looks like events", "data: [DONE]\n\nevent: x\r\ndata: {}\n\n"],
    ["line separators of every kind", "a\rb\nc\r\nd\u2028e\u2029f\u0085g"],
    ["characters of four bytes", "😀".repeat(50)],
  ])("keeps %s within its events", async (_name, text) => {
    const { url } = await startScene({}, { behaviour: createAnswer({ text: () => text }) });
    const { deltas, last, done } = await askStream(url, question);
    expect(deltas.join("")).toBe(text);
    expect(last?.data.response).toBe(text);
    expect(done).toBe(true);
  });

  test.each([
    faults.crlfStream,
    faults.commentsInStream,
    faults.splitEveryByte,
    faults.jsonWhereSseAsked,
    faults.duplicateHeaders,
    faults.http10,
  ])("is right although the upstream is unusual: $name", async (behaviour) => {
    const { url } = await startScene({}, { behaviour });
    const { deltas, last, done } = await askStream(url, question);
    expect(deltas.join("")).toBe("echo: why is the sky blue?");
    expect(last?.data.response).toBe(deltas.join(""));
    expect(done).toBe(true);
  });

  test.each([faults.usageMissing, faults.usageNegative, faults.usageHuge])(
    "has null for its usage when there is none to believe: $name",
    async (behaviour) => {
      const { url } = await startScene({}, { behaviour });
      const { last, done } = await askStream(url, question);
      expect(last?.data.usage).toBeNull();
      expect(done).toBe(true);
    },
  );
});

describe.concurrent("a stream that breaks", () => {
  test.each([
    [faults.resetMidStream, 502, "upstream_failed"],
    [faults.closeMidStream, 502, "upstream_failed"],
    [faults.finMidStream, 502, "upstream_failed"],
    [faults.cutInsideEvent, 502, "upstream_bad_answer"],
    [faults.badJsonEvent, 502, "upstream_bad_answer"],
    [faults.errorEventMidStream, 502, "upstream_failed"],
  ] as const)("ends with a failure and without [DONE]: $0.name", async (behaviour, code, error) => {
    const { url } = await startScene({}, { behaviour });
    const read = await askStream(url, question, { headers: { "accept-language": "ru" } });
    expect(read.head.status).toBe(200);
    expect(read.deltas.join("")).toMatch(/^echo/);
    expect(read.failure).toMatchObject({ code, data: { error } });
    expect(read.failure?.data.response).toMatch(/[а-я]/);
    expect(JSON.stringify(read.failure)).not.toContain(faults.canary);
    expect(read.done).toBe(false);
    expect(read.last).toBeNull();
  });

  test("by silence ends with 504", async () => {
    const { url } = await startScene(
      { UPSTREAM_IDLE_SECONDS: "1" },
      { behaviour: faults.stallMidStream },
    );
    const read = await askStream(url, question);
    expect(read.failure).toMatchObject({ code: 504, data: { error: "upstream_timeout" } });
    expect(read.done).toBe(false);
  });

  test("because we stop ends with 503", async () => {
    const { url, parley } = await startScene({}, { behaviour: faults.stallMidStream });
    const { events } = await openStream(url, { ...question, stream: true });
    const reader = events[Symbol.asyncIterator]();
    await deadline(Promise.resolve(reader.next()), 5_000, "the first delta");
    const { openCalls } = parley.parley;
    const idle = openCalls.drain();
    openCalls.abortAll();
    const rest = await deadline(
      Array.fromAsync({ [Symbol.asyncIterator]: () => reader }),
      5_000,
      "the end",
    );
    expect(JSON.parse(rest.at(-1) ?? "")).toMatchObject({ code: 503, data: { error: "draining" } });
    await deadline(idle, 5_000, "idle");
  });

  test("because its reader left is logged as canceled and stops the upstream", async () => {
    const { url, upstream, parley } = await startScene({}, { behaviour: faults.stallMidStream });
    const stream = await openStream(url, { ...question, stream: true });
    await stream.events[Symbol.asyncIterator]().next();
    stream.hangUp();
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 5_000 });
    expect(JSON.parse(await parley.logged('"status":499'))).toMatchObject({ outcome: "canceled" });
    upstream.behave(answer);
    expect((await askStream(url, question)).done).toBe(true);
  });
});

describe.concurrent("a failure before the first byte", () => {
  test.each([
    [faults.refuse(400), 400, "upstream_refused"],
    [faults.refuse(429), 429, "upstream_rate_limited"],
    [faults.refuse(500), 502, "upstream_failed"],
    [faults.refuseHtml(502), 502, "upstream_failed"],
    [faults.redirect(302, "http://127.0.0.1:1/"), 502, "upstream_failed"],
    [faults.resetBeforeHeaders, 502, "upstream_unreachable"],
    [faults.html200, 502, "upstream_bad_answer"],
    [faults.empty200, 502, "upstream_bad_answer"],
    [faults.errorJson200WhereSseAsked, 502, "upstream_failed"],
    [faults.gzipBomb(1_000_000), 502, "upstream_bad_answer"],
  ] as const)("has its own status, streamed or not: $0.name", async (behaviour, code, error) => {
    const { url } = await startScene({}, { behaviour });
    for (const stream of behaviour.name.startsWith("gzip") ? [false] : [true, false]) {
      const refused = await askInVain(url, { ...question, stream });
      expect(refused).toMatchObject({ code, msg: "failed", data: { error } });
      expect(refused.reply.headers["content-type"]).toBe("application/json; charset=utf-8");
      if (code !== 400) expect(refused.reply.text).not.toContain(faults.canary);
    }
  });

  test("an upstream that is not there is a 502", async () => {
    const { url } = await startScene({ OPENAI_URL: "http://127.0.0.1:1/v1" });
    for (const stream of [true, false]) {
      const refused = await askInVain(url, { ...question, stream });
      expect(refused).toMatchObject({ code: 502, data: { error: "upstream_unreachable" } });
    }
  });

  test("an upstream that does not answer in time is a 504", async () => {
    const { url, upstream } = await startScene(
      { UPSTREAM_FIRST_TOKEN_SECONDS: "1", UPSTREAM_ANSWER_SECONDS: "1" },
      { behaviour: faults.silent },
    );
    const both = [true, false].map((stream) => askInVain(url, { ...question, stream }));
    for (const refused of await Promise.all(both)) {
      expect(refused).toMatchObject({ code: 504, data: { error: "upstream_timeout" } });
    }
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 5_000 });
  });

  test("a field problem is told with its status where a stream was asked for", async () => {
    const { url } = await startScene();
    const refused = await askInVain(url, { stream: true });
    expect(refused).toMatchObject({ code: 400, data: { field: "user_content" } });
  });

  test("a client that leaves before the answer stops the upstream", async () => {
    const { url, upstream, parley } = await startScene({}, { behaviour: faults.silent });
    const leaving = new AbortController();
    const asked = postJson(url, question, { signal: leaving.signal }).catch(() => null);
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    leaving.abort();
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the upstream is closed",
      timeoutMs: 5_000,
    });
    expect(await asked).toBeNull();
    expect(JSON.parse(await parley.logged('"status":499'))).toMatchObject({ outcome: "canceled" });
  });
});
