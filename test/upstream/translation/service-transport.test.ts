/** The way out to services of both kinds, over real connections. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { createCleanName } from "../../../src/core/clean-name.ts";
import { redact } from "../../../src/core/redact.ts";
import type { UpstreamKind } from "../../../src/core/routing/routing.ts";
import type { CallNotes, RelayAnswer } from "../../../src/core/upstream-ports.ts";
import { createRefusalOf } from "../../../src/upstream/errors.ts";
import { createRelay } from "../../../src/upstream/relay.ts";
import {
  createServiceTransport,
  type ServiceTransport,
} from "../../../src/upstream/translation/service-transport.ts";
import { anthropicAnswer, createAnthropicAnswer, send } from "../../support/anthropic.ts";
import * as faults from "../../support/faults.ts";
import { deadline } from "../../support/http.ts";
import { answerRoom } from "../../support/rooms.ts";
import {
  answer,
  composeAnswer,
  type ScriptedUpstream,
  startUpstream,
} from "../../support/upstream.ts";
import { gathered } from "./gathered.ts";

const WAIT_MS = 5_000;
const SILENCE_MS = 20;
const MAX_EVENT_BYTES = 4_096;
const text = "¿$5 – 你好 👋🏽?";
const body = { model: "m", max_tokens: 9, messages: [{ role: "user", content: text }] };

let upstream: ScriptedUpstream;
let transport: ServiceTransport;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  await transport.close();
  await upstream.close();
});

interface Asked {
  readonly kind?: UpstreamKind;
  readonly stream?: boolean;
  readonly isAnthropic?: boolean;
  readonly notes?: CallNotes;
  readonly signal?: AbortSignal;
}

/** Asks in Anthropic's language, unless told otherwise. */
function relay({ kind = "openai", stream = true, isAnthropic = true, notes, signal }: Asked) {
  transport = createServiceTransport({
    kind,
    baseUrl: new URL(upstream.url),
    proxyUrl: null,
    connectMs: WAIT_MS,
    idleMs: WAIT_MS,
    totalMs: WAIT_MS,
    clock: systemClock,
    usualTokens: 99,
    maxEventBytes: MAX_EVENT_BYTES,
    silenceMs: SILENCE_MS,
  });
  const options = {
    transport,
    kind,
    ownHeaders: null,
    userAgent: "parley/test",
    refusalOf: createRefusalOf(redact, systemClock),
    redact,
    cleanName: createCleanName([]),
    answerMs: WAIT_MS,
    firstTokenMs: WAIT_MS,
    maxAnswerBytes: 1024 * 1024,
    maxEventBytes: MAX_EVENT_BYTES,
  };
  const request = {
    method: "POST",
    path: isAnthropic ? "/messages" : "/chat/completions",
    body: JSON.stringify({ ...body, stream }),
    streamed: stream,
    hideUsage: false,
    mayPass: true,
    anthropic: isAnthropic ? {} : undefined,
  } as const;
  return createRelay(options).send(request, {
    key: "sk-test-0123456789",
    signal: signal ?? new AbortController().signal,
    room: answerRoom.enter("bucket"),
    sent: { unrefused: 0 },
    notes,
  });
}

async function textOf(relayed: RelayAnswer): Promise<string> {
  if (relayed.kind === "whole") return Buffer.from(relayed.bytes).toString();
  const parts: Uint8Array[] = [];
  for await (const { bytes } of relayed.pieces) parts.push(bytes);
  return Buffer.concat(parts).toString();
}

describe("a stream that is translated", () => {
  test.each([
    answer,
    faults.splitEveryByte,
    faults.crlfStream,
    faults.commentsInStream,
    faults.http10,
  ])("says the same however it comes: $name", async (behaviour) => {
    upstream.behave(behaviour);
    const relayed = await relay({});
    const message = gathered(await textOf(relayed));
    expect(message.content).toEqual([{ type: "text", text: `echo: ${text}` }]);
    expect(message.usage).toMatchObject({ input_tokens: text.length });
  });

  test("tells its reader in silence that more will come, and loses nothing", async () => {
    const go = Promise.withResolvers<void>();
    upstream.behave({
      name: "silent between its events",
      run: async ({ request, response, write }) => {
        const [first = "", second = "", ...rest] = composeAnswer(request).events;
        response.writeHead(200, { "content-type": "text/event-stream" });
        await write(first + second);
        await go.promise;
        for (const event of rest) await write(event);
        response.end();
      },
    });
    const relayed = await relay({});
    if (relayed.kind !== "streamed") throw new Error(relayed.kind);
    let seen = "";
    const reading = (async () => {
      for await (const { bytes } of relayed.pieces) {
        seen += Buffer.from(bytes).toString();
        if (seen.includes("event: ping")) go.resolve();
      }
    })();
    await deadline(reading, WAIT_MS, "the answer");
    const silent = seen.replaceAll(/event: ping\ndata: .*\n\n/g, "");
    expect(silent.length).toBeLessThan(seen.length);
    expect(gathered(silent).content).toEqual([{ type: "text", text: `echo: ${text}` }]);
  });

  test("passes what came before an event that is none", async () => {
    upstream.behave({
      name: "a mistake in the same piece",
      run: async ({ request, response, write }) => {
        const { events } = composeAnswer(request);
        response.writeHead(200, { "content-type": "text/event-stream" });
        await write(`${events.slice(0, 3).join("")}data: {"choices":\n\n`);
        response.end();
      },
    });
    const relayed = await relay({});
    if (relayed.kind !== "streamed") throw new Error(relayed.kind);
    let seen = "";
    const reading = (async () => {
      for await (const { bytes } of relayed.pieces) seen += Buffer.from(bytes).toString();
    })();
    await expect(reading).rejects.toMatchObject({ code: "upstream_bad_answer" });
    expect(seen).toContain("text_delta");
  });

  test("has a bound on what an event may take", async () => {
    upstream.behave(faults.endlessLine(64 * MAX_EVENT_BYTES));
    await expect(relay({}).then(textOf)).rejects.toMatchObject({ code: "upstream_bad_answer" });
  });

  test("is one also where the service ignores that it was asked for", async () => {
    upstream.behave(faults.jsonWhereSseAsked);
    const relayed = await relay({});
    expect(relayed.contentType).toMatch(/^text\/event-stream/);
    expect(gathered(await textOf(relayed))).toMatchObject({
      content: [{ type: "text", text: `echo: ${text}` }],
      usage: { input_tokens: text.length },
    });
  });

  test("is not read faster than its reader reads", async () => {
    const endless = faults.endlessStream(64 * 1024 * 1024);
    upstream.behave(endless);
    const relayed = await relay({});
    if (relayed.kind !== "streamed") throw new Error(relayed.kind);
    const reader = relayed.pieces[Symbol.asyncIterator]();
    await reader.next();
    await upstream.waitFor(() => endless.written() > 100_000, {
      label: "the buffers fill",
      timeoutMs: WAIT_MS,
    });
    expect(endless.written()).toBeLessThan(32 * 1024 * 1024);
    await reader.return?.();
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the upstream is left",
      timeoutMs: WAIT_MS,
    });
  });

  test("ends when its reader aborts", async () => {
    upstream.behave(faults.stallMidStream);
    const leave = new AbortController();
    const relayed = await relay({ signal: leave.signal });
    const reading = textOf(relayed);
    leave.abort();
    await expect(reading).rejects.toMatchObject({ code: "canceled" });
  });
});

describe("a whole answer that is translated", () => {
  test("may be large", async () => {
    upstream.behave(faults.hugeBody(200_000));
    const relayed = await relay({ stream: false });
    const { content } = JSON.parse(await textOf(relayed));
    expect(content[0].text).toHaveLength(200_000);
  });

  test("has a bound", async () => {
    upstream.behave(faults.hugeBody(2_000_000));
    await expect(relay({ stream: false })).rejects.toMatchObject({ code: "upstream_bad_answer" });
  });

  test("has no usage where the service tells none, so that it is estimated", async () => {
    upstream.behave(faults.usageMissing);
    for (const stream of [false, true]) {
      const relayed = await relay({ stream });
      const said = await textOf(relayed);
      expect(said).toContain('"output_tokens":0');
      const account = relayed.kind === "whole" ? relayed.account : relayed.account();
      expect(account).toMatchObject({ usage: null, model: "m" });
      expect(account.answerTokens).toBeGreaterThan(3);
    }
  });
});

test("bytes pass where the service speaks the language, and nothing is noted", async () => {
  const notes: CallNotes = { translated: { dropped: ["of another attempt"], isEstimated: false } };
  upstream.behave(createAnthropicAnswer({ thinking: "hm" }));
  const native = await textOf(await relay({ kind: "anthropic", notes }));
  expect(native).toContain("signature_delta");
  expect(native).toContain("event: ping");
  expect(upstream.requests.at(-1)?.bodyText).toBe(JSON.stringify({ ...body, stream: true }));
  expect(notes.translated).toBeNull();
  upstream.behave(answer);
  expect(await textOf(await relay({ isAnthropic: false }))).toContain("[DONE]");
  expect(upstream.requests.at(-1)?.bodyText).toBe(JSON.stringify({ ...body, stream: true }));
});

test("an event of Anthropic's service that nobody knows is left out", async () => {
  upstream.behave({
    name: "an event of tomorrow",
    run: async (exchange) => {
      exchange.response.writeHead(200, { "content-type": "text/event-stream" });
      const message = { id: "msg_1", model: "m", usage: { input_tokens: 1, output_tokens: 1 } };
      await send(exchange, { type: "message_start", message });
      await send(exchange, { type: "of_tomorrow", data: 1 });
      await send(exchange, { type: "message_delta", delta: { stop_reason: "end_turn" } });
      await send(exchange, { type: "message_stop" });
      exchange.response.end();
    },
  });
  const said = await textOf(await relay({ kind: "anthropic", isAnthropic: false }));
  expect(said).not.toContain("tomorrow");
  expect(said.match(/^data: /gm)).toHaveLength(3);
  upstream.behave(anthropicAnswer);
});
