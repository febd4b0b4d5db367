import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChatRequest } from "../../src/core/call/messages.ts";
import { canary, refuse, sequence } from "../support/faults.ts";
import {
  answer,
  type Behaviour,
  composeAnswer,
  createAnswer,
  type RecordedRequest,
  type ScriptedUpstream,
  startUpstream,
} from "../support/upstream.ts";
import {
  type Asking,
  allOf,
  createAsking,
  echoed,
  endOfComplete,
  endOfStream,
  question,
  shownOf,
} from "./asking.ts";

let upstream: ScriptedUpstream;
let asking: Asking;
beforeEach(async () => {
  upstream = await startUpstream();
  asking = createAsking({ url: upstream.url });
});
afterEach(async () => {
  await asking.close();
  await upstream.close();
});

const both = [endOfComplete, endOfStream];
const usage = { promptTokens: 14, completionTokens: 20, totalTokens: 34, cachedTokens: 0 };

describe("a good answer", () => {
  test("whole, is all that the upstream said", async () => {
    expect(await asking.complete()).toEqual({
      text: echoed,
      model: "gpt-4o-mini",
      finishReason: "stop",
      usage,
      upstreamId: "chatcmpl-1",
    });
  });

  test("streamed, is one start, the texts and one end that has it all", async () => {
    const events = await Array.fromAsync(await asking.stream());
    expect(events[0]).toEqual({ type: "answer-start", model: "gpt-4o-mini" });
    const texts = events
      .slice(1, -1)
      .map((event) => (event.type === "text-delta" ? event.text : "?"));
    expect(texts.length).toBeGreaterThan(2);
    expect(texts).not.toContain("");
    expect(texts.join("")).toBe(echoed);
    const completion = {
      text: echoed,
      model: "gpt-4o-mini",
      finishReason: "stop",
      usage,
      upstreamId: "chatcmpl-1",
    };
    expect(events.at(-1)).toEqual({ type: "answer-end", completion });
  });

  test("of a model that continues text is the same in both forms", async () => {
    const request = { ...question, model: "gpt-3.5-turbo-instruct" };
    const whole = await asking.complete(request);
    const events = await Array.fromAsync(await asking.stream(request));
    expect(whole).toMatchObject({ text: echoed, finishReason: "stop", usage });
    expect(events.at(-1)).toMatchObject({
      completion: { text: echoed, finishReason: "stop", usage },
    });
    expect(upstream.requests.map(({ path }) => path)).toEqual([
      "/v1/completions",
      "/v1/completions",
    ]);
  });

  test("without usage has none, and none is made up", async () => {
    upstream.behave(createAnswer({ tokens: null }));
    for (const ask of both) {
      expect(await ask(asking)).toMatchObject({ text: echoed, completion: { usage: null } });
    }
  });

  test.each([
    "text/event-stream",
    "Text/Event-Stream; Charset=UTF-8",
    "text/event-stream;charset=utf-8",
  ])("is a stream when it says %s", async (type) => {
    upstream.behave(typed(type));
    expect(await endOfStream(asking)).toMatchObject({ said: "answer", text: echoed });
  });

  test("that is empty is an answer all the same", async () => {
    upstream.behave(createAnswer({ text: () => "" }));
    for (const ask of both) expect(await ask(asking)).toMatchObject({ said: "answer", text: "" });
  });

  test("many at once are not mixed up", async () => {
    const asked = Array.from({ length: 60 }, (_, i) => `question ${i}`);
    const answers = await Promise.all(
      asked.map(async (content, i) => {
        const request = { ...question, messages: [{ role: "user", content }] };
        if (i % 2 === 0) return (await asking.complete(request)).text;
        const events = await Array.fromAsync(await asking.stream(request));
        return events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
      }),
    );
    expect(answers).toEqual(asked.map((content) => `echo: ${content}`));
  });
});

describe("a stream's end", () => {
  const withoutDone = (finishReason: string | null): Behaviour => ({
    name: "no [DONE]",
    run: ({ response }) => {
      const choice = { index: 0, delta: { content: "Hi" }, finish_reason: finishReason };
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`data: ${JSON.stringify({ model: "m", choices: [choice] })}\n\n`);
    },
  });

  test("with a reason and without [DONE] is an end", async () => {
    upstream.behave(withoutDone("stop"));
    expect(await endOfStream(asking)).toMatchObject({ said: "answer", text: "Hi" });
  });

  test("with neither is a break", async () => {
    upstream.behave(withoutDone(null));
    expect(await endOfStream(asking)).toMatchObject({
      said: "upstream_failed while read",
      text: "Hi",
    });
  });

  test("before anything was said is a break, with [DONE] too", async () => {
    const comment = ": ping\n\n";
    for (const body of ["", comment, "data: [DONE]\n\n"]) {
      upstream.behave({
        name: "nothing",
        run: ({ response }) => {
          response.writeHead(200, { "content-type": "text/event-stream" }).end(body);
        },
      });
      const when = body === comment ? "while read" : "at once";
      expect(await endOfStream(asking)).toMatchObject({ said: `upstream_failed ${when}` });
    }
  });
});

describe("a model that wants the other field", () => {
  const wants = (right: string, wrong: string): Behaviour => ({
    name: `wants ${right}`,
    run: (exchange) => {
      const { json } = exchange.request;
      if (!hasField(json, wrong)) return answer.run(exchange);
      const message = `Unsupported parameter: '${wrong}' is not supported with this model. Use '${right}' instead.`;
      return refuse(400, { message, code: "unsupported_parameter" }).run(exchange);
    },
  });
  const newer = wants("max_completion_tokens", "max_tokens");
  const older = wants("max_tokens", "max_completion_tokens");
  const fieldsSent = () =>
    upstream.requests.map(({ json }) => (hasField(json, "max_tokens") ? "older" : "newer"));

  test.each([
    ["newer", newer, "mystery-1", ["older", "newer", "newer", "newer"]],
    ["older", older, "o3", ["newer", "older", "older", "older"]],
  ] as const)(
    "the %s, is asked again and the name is learnt once",
    async (_, behaviour, model, sent) => {
      upstream.behave(behaviour);
      const request: ChatRequest = { ...question, model };
      expect(await asking.complete(request)).toMatchObject({ text: echoed });
      expect(await Array.fromAsync(await asking.stream(request))).not.toEqual([]);
      expect(await asking.complete(request)).toMatchObject({ text: echoed });
      expect(fieldsSent()).toEqual(sent);
    },
  );

  test("is learnt by many at once without a failure", async () => {
    upstream.behave(newer);
    const request: ChatRequest = { ...question, model: "mystery-2" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => asking.complete(request)));
    expect(answers.map(({ text }) => text)).toEqual(Array(8).fill(echoed));
    await asking.complete(request);
    expect(fieldsSent().at(-1)).toBe("newer");
  });

  test("is learnt for that model alone", async () => {
    upstream.behave(newer);
    await asking.complete({ ...question, model: "mystery-3" });
    upstream.behave(answer);
    await asking.complete({ ...question, model: "mystery-4" });
    expect(fieldsSent()).toEqual(["older", "newer", "older"]);
  });

  test("and then refuses that too is asked twice and no more", async () => {
    const message = "Use max_completion_tokens, not max_tokens.";
    upstream.behave(refuse(400, { message }));
    for (const ask of both) {
      expect((await ask(asking)).error).toMatchObject({
        code: "upstream_refused",
        params: { reason: message },
      });
    }
    expect(upstream.requests).toHaveLength(3);
  });

  test("is told from other refusals that name the field", async () => {
    const message = "max_tokens is too large: 999999.";
    upstream.behave(sequence([refuse(400, { message }), answer]));
    expect((await endOfComplete(asking)).error?.params).toEqual({ reason: message });
    expect(upstream.requests).toHaveLength(1);
  });
});

describe("a refusal whose body", () => {
  const refusal = (status: number, end: Behaviour["run"]): Behaviour => ({
    name: `${status} that breaks`,
    run: async (exchange) => {
      const headers = { "content-type": "application/json", "retry-after": "7" };
      exchange.response.writeHead(status, headers);
      await exchange.write('{"error":{"message":"so');
      await end(exchange);
    },
  });
  const block = Buffer.alloc(64 * 1024, "a");
  const ends: readonly (readonly [string, Behaviour["run"]])[] = [
    ["is reset", (exchange) => exchange.cut("reset")],
    ["is cut", (exchange) => exchange.cut("fin")],
    ["is half a JSON", ({ response }) => void response.end()],
    [
      "has no end",
      async (exchange) => {
        for (let left = 32 * 1024 * 1024; left > 0; left -= block.length) {
          await exchange.write(block);
        }
      },
    ],
  ];
  test.each(ends)("%s is that refusal all the same", async (_, end) => {
    for (const ask of [asking.complete, asking.stream]) {
      upstream.behave(refusal(429, end));
      await expect(ask()).rejects.toMatchObject({
        code: "upstream_rate_limited",
        retryAfterMs: 7_000,
      });
      upstream.behave(refusal(401, end));
      await expect(ask()).rejects.toMatchObject({ code: "key_rejected" });
      upstream.behave(refusal(500, end));
      await expect(ask()).rejects.toMatchObject({ details: { upstream_status: 500 } });
    }
  });
});

describe("the key", () => {
  const oddKeys = [
    'sk-"quoted"',
    "sk-with space and more",
    "sk-%41%42%43",
    "sk-ключ-из-букв",
    "sk-é-latin-letters",
    "sk-line\r\nx-injected: yes",
    "sk-nul\u0000character",
    "sk-\u{1F511}\u{1F511}\u{1F511}",
    "short",
    "a+b/c=(d)[e]{f}$&",
    `sk-${"long".repeat(5_000)}`,
  ];

  test.each(oddKeys)("%j shows in no error", async (oddKey) => {
    const saying: Behaviour = {
      name: "quotes the key",
      run: (exchange) => {
        const given = (exchange.request.headers.authorization ?? "").replace("Bearer ", "");
        const message = `${canary}: the key ${oddKey} (${given}) may not.`;
        return refuse(400, { message }).run(exchange);
      },
    };
    for (const behaviour of [saying, refuse(401, { message: `no such key: ${oddKey}` })]) {
      upstream.behave(behaviour);
      for (const ask of [asking.complete, asking.stream]) {
        const error: unknown = await ask(question, undefined, oddKey).catch((thrown) => thrown);
        expect(error).toHaveProperty("code");
        expect(allOf(error)).not.toContain(oddKey);
        expect(allOf(error)).not.toContain(JSON.stringify(oddKey).slice(1, -1));
      }
    }
    for (const { headers } of upstream.requests) expect(headers).not.toHaveProperty("x-injected");
  });

  test.each(["sk-ключ", "sk-line\r\nx-injected: yes", "sk-nul\u0000", "sk-\u{1F511}"])(
    "%j can't be sent: a mistake of ours, not an upstream that is away",
    async (unsendable) => {
      for (const ask of [asking.complete, asking.stream]) {
        const ended = ask(question, undefined, unsendable);
        await expect(ended).rejects.toMatchObject({ code: "internal", params: {}, details: {} });
      }
      expect(upstream.requests).toEqual([]);
    },
  );

  test("of each call goes into its own request only", async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `sk-caller-${i}`);
    await Promise.all(
      keys.map((key, i) => {
        const request = { ...question, messages: [{ role: "user", content: `question ${i}` }] };
        return asking.complete(request, undefined, key);
      }),
    );
    for (const { headers, json } of upstream.requests) {
      const number = /question (\d+)/.exec(JSON.stringify(json))?.[1];
      expect(headers.authorization).toBe(`Bearer sk-caller-${number}`);
    }
  });

  test.each([
    ["sk-bad-0123456789abcdef", "key_rejected", undefined],
    ["sk-limited-0123456789", "upstream_rate_limited", 7_000],
  ])(
    "%s is turned down with %s and none of the upstream's words",
    async (key, code, retryAfterMs) => {
      for (const ask of [asking.complete, asking.stream]) {
        const error = await ask(question, undefined, key).catch((thrown) => thrown);
        expect(error).toMatchObject({ code, retryAfterMs, params: {} });
        expect(shownOf(error)).not.toMatch(/Incorrect|organization|quota|sk-/);
        expect(allOf(error)).not.toMatch(/sk-b|sk-l|org-scripted/);
      }
    },
  );
});

test("an exhausted account is told in the upstream's words", async () => {
  for (const ask of [asking.complete, asking.stream]) {
    const error = await ask(question, undefined, "sk-broke-0123456789").catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "key_exhausted", retryAfterMs: 600_000 });
    expect(error.params.reason).toMatch(/quota/);
    expect(allOf(error)).not.toMatch(/sk-b|org-scripted/);
  }
});

function typed(contentType: string): Behaviour {
  return {
    name: `a stream as ${contentType}`,
    run: ({ request, response }) => {
      response.writeHead(200, { "content-type": contentType });
      response.end(eventsOf(request));
    },
  };
}

const eventsOf = (request: RecordedRequest) => composeAnswer(request).events.join("");

function hasField(json: unknown, name: string): boolean {
  return typeof json === "object" && json !== null && name in json;
}
