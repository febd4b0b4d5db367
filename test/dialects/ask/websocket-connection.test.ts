/** How long a connection lives, and how much it may hold. */

import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { ProxyError } from "../../../src/core/errors.ts";
import { createFrameWriter } from "../../../src/dialects/ask/websocket/backpressure-writer.ts";
import { keepAlive } from "../../../src/dialects/ask/websocket/connection.ts";
import {
  createConnectionLimit,
  MAX_CONNECTIONS,
} from "../../../src/dialects/ask/websocket/connections.ts";
import {
  createControlFrameLimit,
  MAX_CONTROL_FRAMES,
} from "../../../src/dialects/ask/websocket/frame-limits.ts";
import {
  createBeginQuestion,
  type SentAnswer,
} from "../../../src/dialects/ask/websocket/pending-questions.ts";
import { createCallStarter } from "../../../src/http/call/begin-call.ts";
import { createOpenCalls } from "../../../src/http/call/open-calls.ts";
import type { RequestEnd } from "../../../src/http/call/request-context.ts";
import { createConcurrencyLimiter, createSemaphore } from "../../../src/limits/concurrency.ts";
import { createMemoryLimiter } from "../../../src/limits/memory-limiter.ts";
import { stallMidStream } from "../../support/faults.ts";
import { connectRaw, frame, OPCODE } from "../../support/frames.ts";
import { deadline } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { until } from "../../support/process.ts";
import { answerRoom } from "../../support/rooms.ts";
import { startScene } from "../../support/scene.ts";
import { connect, readText } from "../../support/websocket.ts";

const ASK = "<|ask|>$new$new$one two three";

describe.concurrent("a connection without questions", () => {
  test("is closed after its time, and frames that ask nothing don't count", async () => {
    const { parley } = await startScene({ WS_IDLE_SECONDS: "1" });
    const startedMs = performance.now();
    const [quiet, busy] = await Promise.all([
      connect(`${parley.origin}/ask`),
      connect(`${parley.origin}/ask`),
    ]);
    const nothing = setInterval(() => {
      busy.ws.ping();
      busy.send("out of form");
    }, 100);
    const ends = await Promise.all([quiet.closed(), busy.closed()]);
    clearInterval(nothing);
    expect(ends).toEqual(Array(2).fill({ code: 1000, reason: "idle" }));
    expect(performance.now() - startedMs).toBeGreaterThan(990);
  });

  test("is not idle while an answer is on its way, and is after it", async () => {
    const { parley, upstream } = await startScene(
      { WS_IDLE_SECONDS: "1" },
      { behaviour: stallMidStream },
    );
    const asking = await connect(`${parley.origin}/ask`, { protocol: "parley.v1" });
    asking.send({ type: "ask", id: "q", prompt: "one two three" });
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    // one that came later and asks nothing shows that the time has passed
    const quiet = await connect(`${parley.origin}/ask`);
    await quiet.closed();
    expect(asking.ws.readyState).toBe(WebSocket.OPEN);
    expect(upstream.open()).toBe(1);
    asking.send({ type: "cancel", id: "q" });
    expect(await asking.closed()).toEqual({ code: 1000, reason: "idle" });
  });
});

const servers: WebSocketServer[] = [];
afterAll(() => {
  for (const server of servers) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

/** Both ends of a connection, without Parley between. */
async function pair(options: object = {}) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const arrived = once(server, "connection");
  const client = new WebSocket(`ws://127.0.0.1:${port}`, options);
  client.on("error", () => undefined);
  const [ws, { socket }] = (await arrived) as [WebSocket, { socket: Socket }];
  if (client.readyState !== WebSocket.OPEN) await once(client, "open");
  return { ws, socket, client };
}

describe.concurrent("pings", () => {
  test("end a connection whose other side is silent", async () => {
    const { ws, client } = await pair({ autoPong: false });
    const closed = once(ws, "close");
    keepAlive(ws, { isStalled: () => false, everyMs: 250 });
    const [code] = await deadline(closed, 5_000, "closed");
    expect(code).toBe(1006);
    client.terminate();
  });

  test("keep one whose other side answers, or is known to be slow", async () => {
    const alive = await pair();
    const slow = await pair({ autoPong: false });
    const silent = await pair({ autoPong: false });
    keepAlive(alive.ws, { isStalled: () => false, everyMs: 250 });
    keepAlive(slow.ws, { isStalled: () => true, everyMs: 250 });
    const rounds = { count: 0 };
    alive.ws.on("pong", () => {
      rounds.count += 1;
    });
    keepAlive(silent.ws, { isStalled: () => false, everyMs: 250 });
    await deadline(once(silent.ws, "close"), 5_000, "the silent one is gone");
    await until(() => rounds.count >= 3, { label: "three pongs", timeoutMs: 5_000 });
    expect(alive.ws.readyState).toBe(WebSocket.OPEN);
    expect(slow.ws.readyState).toBe(WebSocket.OPEN);
  });
});

const FRAME_BYTES = 4_096;

describe.concurrent("frames on their way out", () => {
  test("wait for the reader: little more than 64 KiB is held, whoever sends", async () => {
    const { ws, socket, client } = await pair();
    client.pause();
    const writer = createFrameWriter(ws, socket);
    let most = 0;
    let sent = 0;
    const send = async () => {
      for (;;) {
        await writer.send("x".repeat(FRAME_BYTES));
        most = Math.max(most, ws.bufferedAmount);
        sent += 1;
      }
    };
    const senders = Promise.allSettled(Array.from({ length: 8 }, send));
    await until(() => writer.stalled, { label: "the reader is full", timeoutMs: 5_000 });
    let before = -1;
    await until(
      () => {
        const rests = sent === before;
        before = sent;
        return rests;
      },
      { label: "all wait", timeoutMs: 5_000 },
    );
    expect(Math.max(most, ws.bufferedAmount)).toBeLessThan(65_536 + 2 * FRAME_BYTES);
    client.resume();
    await until(() => sent > before, { label: "it goes on", timeoutMs: 5_000 });
    client.terminate();
    for (const end of await deadline(senders, 5_000, "all have left")) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "canceled" } });
    }
    await expect(writer.send("more")).rejects.toMatchObject({ code: "canceled" });
    await deadline(writer.sendLast("more"), 5_000, "the last frame is given up");
  });

  test("all arrive in their order", async () => {
    const { ws, socket, client } = await pair();
    const writer = createFrameWriter(ws, socket);
    const received: string[] = [];
    client.on("message", (data) => received.push(String(data)));
    for (let count = 0; count < 500; count += 1) await writer.send(`${count}`);
    await writer.sendLast("end");
    await until(() => received.at(-1) === "end", { label: "the end", timeoutMs: 5_000 });
    expect(received).toEqual([...Array.from({ length: 500 }, (_, index) => `${index}`), "end"]);
  });
});

test("messages that never end have a bound for all connections of an address", async () => {
  const { parley } = await startScene({ WS_CONNECTIONS: "0" });
  const begun = Buffer.concat([
    frame(OPCODE.text, "", { length: 1_000_000 }),
    Buffer.alloc(999_999, "x"),
  ]);
  const connections = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const raw = await connectRaw(parley.port);
      raw.socket.write(begun);
      return raw;
    }),
  );
  const codes: (number | null)[] = [];
  for (const { gone } of connections) void gone().then((code) => codes.push(code));
  await until(() => codes.length >= 3, { label: "some are refused", timeoutMs: 10_000 });
  expect(new Set(codes)).toEqual(new Set([1013]));
  const others = await connect(`${parley.origin}/ask`);
  others.send(ASK);
  expect((await readText(others)).text).toBe("echo: one two three");
  for (const { socket } of connections) socket.destroy();
  await until(() => codes.length === 20, { label: "all are gone", timeoutMs: 10_000 });
  // what is gone holds nothing
  const again = await connectRaw(parley.port);
  again.socket.write(begun);
  again.socket.write(Buffer.from("y"));
  await until(() => again.texts.length > 0, { label: "the answer", timeoutMs: 5_000 });
  expect(again.texts[0]).toMatch(/^<\|err\|>\$/);
  again.socket.destroy();
});

test("a connection gives its place back once, and all together have a bound", () => {
  const all = createSemaphore(MAX_CONNECTIONS);
  const enterConnection = createConnectionLimit(createConcurrencyLimiter(1), all, 1);
  const enter = (bucket: string) => enterConnection(bucket) as () => void; // from memory, at once
  const leave = enter("a");
  expect(() => enter("a")).toThrow("connections_limited");
  const leaveOther = enter("b");
  leave();
  leave();
  leaveOther();
  enter("a");
  expect(() => enter("a")).toThrow("connections_limited");
  for (let count = 1; count < MAX_CONNECTIONS; count += 1) enter(`c${count}`);
  expect(() => enter("one more")).toThrow("overloaded");
});

test("frames that ask nothing are counted by the minute", () => {
  const clock = createHeldClock();
  const isFlood = createControlFrameLimit(clock);
  const counts = () => Array.from({ length: MAX_CONTROL_FRAMES }, isFlood);
  expect(counts()).not.toContain(true);
  expect(isFlood()).toBe(true);
  clock.forward(60_000);
  expect(counts()).not.toContain(true);
  expect(isFlood()).toBe(true);
});

test("an error nobody foresaw is reported, and shown as nothing but that", async () => {
  const clock = createHeldClock();
  const ends: RequestEnd[] = [];
  const reported: [string, ProxyError][] = [];
  const openCalls = createOpenCalls(0, answerRoom);
  const limits = { second: 0, minute: 0, hour: 0, day: 0 };
  const cause = new Error("sk-secret in a message");
  const address = "192.0.2.1";
  const client = { address, bucket: address, peer: address, forwarded: "none" } as const;
  const begin = createBeginQuestion(
    {
      calls: createCallStarter({
        clock,
        defaultLanguage: "en",
        resolveClient: () => client,
        alarm: { observe: () => undefined, warnings: () => [] },
        openCalls,
        limiter: createMemoryLimiter({ limits, clock }),
        newRequestId: () => "id-1",
        onDecision: () => undefined,
        onEnd: (end) => ends.push(end),
      }),
      identify: () => Promise.reject(cause),
      questions: {
        ask: () => Promise.reject(cause),
        stream: () => Promise.reject(cause),
        tree: () => Promise.reject(cause),
        remove: () => Promise.reject(cause),
      },
      report: (requestId, error) => reported.push([requestId, error]),
    },
    {
      client,
      language: "en",
      credentials: {},
    },
  );
  const told: ProxyError[] = [];
  const reply: SentAnswer = {
    delta: () => Promise.resolve(),
    end: () => Promise.resolve(),
    fail: async (error) => {
      told.push(error);
    },
  };
  const asked = { prompt: "hi", conversationId: null, parentId: null };
  const rest = { model: "m", maxTokens: 1, apiKey: null };
  const question = begin({ bytes: 10, read: () => ({ ...asked, ...rest }) });
  expect(openCalls.count).toBe(1);
  const status = await question.answer(reply);
  question.end(status);
  question.end(status);
  expect(status).toBe(500);
  expect(told).toMatchObject([{ code: "internal", cause }]);
  expect(reported).toEqual([["id-1", told[0]]]);
  expect(openCalls.count).toBe(0);
  expect(ends).toMatchObject([{ status: 500, method: "WS", context: { route: "ask websocket" } }]);
});
