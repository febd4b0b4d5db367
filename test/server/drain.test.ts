import { once } from "node:events";
import { createConnection } from "node:net";
import { expect, test } from "vitest";
import { heldUntil } from "../support/held.ts";
import { deadline, type OpenStream, openStream, postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { Environment, ParleyProcess } from "../support/process.ts";
import { answer, composeAnswer, goodHeaders, type ScriptedUpstream } from "../support/upstream.ts";

const WAIT_MS = 10_000;
const TEST_MS = 40_000;
const STREAMS = 50;
const QUESTION = { user_content: "one two three four five" };
const STREAMED = { ...QUESTION, stream: true };

let upstream: ScriptedUpstream;
let parley: ParleyProcess;

async function start(env: Environment = {}): Promise<void> {
  ({ parley, upstream } = await startPair(env));
}

const forever = heldUntil(new Promise(() => {}));

interface Reading {
  readonly stream: OpenStream;
  readonly events: readonly string[];
  readonly ended: Promise<void>;
}

/** A stream whose first event has arrived and whose others are read as they come. */
async function reading(): Promise<Reading> {
  const stream = await openStream(parley.url, STREAMED);
  const events: string[] = [];
  const first = Promise.withResolvers<void>();
  const ended = (async () => {
    for await (const event of stream.events) {
      events.push(event);
      first.resolve();
    }
  })();
  ended.catch(first.reject);
  await deadline(first.promise, WAIT_MS, "the first event");
  return { stream, events, ended };
}

const openStreams = (count: number) => Promise.all(Array.from({ length: count }, reading));
const exited = () => deadline(parley.exit, WAIT_MS, "the process ends");

test(
  "SIGTERM with nothing open ends the process at once",
  async () => {
    await start({ SHUTDOWN_SECONDS: "30" });
    const startedMs = performance.now();
    parley.signal("SIGTERM");
    expect(await exited()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(parley.startMs);
    expect(parley.output.join("\n")).toMatch(/"cut":0.*"drained"/);
  },
  TEST_MS,
);

test(
  "SIGTERM lets 50 streams end, and turns new calls away meanwhile",
  async () => {
    await start({ SHUTDOWN_SECONDS: "30" });
    const go = Promise.withResolvers<void>();
    upstream.behave(heldUntil(go.promise));
    const streams = await openStreams(STREAMS);
    const waiting = postJson(parley.url, QUESTION);
    waiting.catch(() => undefined); // told below, where it is awaited
    await upstream.waitFor(() => upstream.open() === STREAMS + 1, {
      label: "all calls open",
      timeoutMs: WAIT_MS,
    });

    parley.signal("SIGTERM");
    await parley.waitForLog(/"draining"/);
    const ready = await postJson(`${parley.url}/readyz`, undefined, { method: "GET" });
    expect(ready).toMatchObject({ status: 503, json: { status: "draining" } });
    const alive = await postJson(`${parley.url}/healthz`, undefined, { method: "GET" });
    expect(alive.status).toBe(200);
    const refused = await postJson(parley.url, QUESTION, { headers: { connection: "keep-alive" } });
    expect(refused).toMatchObject({
      status: 503,
      json: { code: 503, data: { error: "draining" } },
      headers: { connection: "close", "retry-after": "5" },
    });
    expect(upstream.requests).toHaveLength(STREAMS + 1);
    expect(streams.flatMap(({ events }) => events.filter((event) => event === "[DONE]"))).toEqual(
      [],
    );

    go.resolve();
    await deadline(Promise.all(streams.map(({ ended }) => ended)), WAIT_MS, "all streams end");
    expect(streams.map(({ events }) => events.at(-1))).toEqual(Array(STREAMS).fill("[DONE]"));
    expect((await deadline(waiting, WAIT_MS, "the answer as JSON")).status).toBe(200);
    expect(await exited()).toBe(0);
    expect(parley.output.join("\n")).toMatch(/"cut":0.*"drained"/);
  },
  TEST_MS,
);

test(
  "answers longer than SHUTDOWN_SECONDS end with an error and the process in order",
  async () => {
    await start({ SHUTDOWN_SECONDS: "1" });
    upstream.behave(forever);
    const streams = await openStreams(10);
    const waiting = postJson(parley.url, QUESTION);
    waiting.catch(() => undefined); // told below, where it is awaited
    await upstream.waitFor(() => upstream.open() === 11, { label: "11 open", timeoutMs: WAIT_MS });

    parley.signal("SIGTERM");
    await parley.waitForLog(/"draining"/);
    const startedMs = performance.now();
    await deadline(Promise.all(streams.map(({ ended }) => ended)), WAIT_MS, "all streams end");
    const cutMs = performance.now() - startedMs;
    expect(await exited()).toBe(0);
    const tookMs = performance.now() - startedMs;

    for (const { events } of streams) {
      expect(events).not.toContain("[DONE]");
      expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({
        code: 503,
        data: { error: "draining" },
      });
    }
    expect((await waiting).json).toMatchObject({ code: 503, data: { error: "draining" } });
    expect(cutMs).toBeGreaterThan(500); // the line was read a while after it was written
    expect(tookMs).toBeLessThan(3_000);
    expect(parley.output.join("\n")).toMatch(/"cut":11.*"drained"/);
  },
  TEST_MS,
);

test(
  "a reader that takes nothing does not hold the end up",
  async () => {
    await start({ SHUTDOWN_SECONDS: "1" });
    upstream.behave({
      name: "more than a socket holds",
      run: async ({ request, response, write }) => {
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        const [, delta = ""] = composeAnswer(request, { text: () => "a".repeat(65_536) }).events;
        for (;;) await write(delta);
      },
    });
    const stream = await openStream(parley.url, STREAMED);
    expect(stream.status).toBe(200);
    parley.signal("SIGTERM");
    await parley.waitForLog(/"draining"/);
    const startedMs = performance.now();
    expect(await exited()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(3_000 + parley.startMs);
    expect(parley.output.join("\n")).not.toMatch(/unexpected error|unhandledRejection/);
    stream.hangUp();
  },
  TEST_MS,
);

test.each(["SIGTERM", "SIGINT"] as const)(
  "a second %s ends the process at once",
  async (name) => {
    await start({ SHUTDOWN_SECONDS: "30" });
    upstream.behave(forever);
    const [stream] = await openStreams(1);
    const broken = expect(stream?.ended).rejects.toThrow();
    parley.signal(name);
    await parley.waitForLog(/"draining"/);
    const startedMs = performance.now();
    parley.signal(name);
    expect(await exited()).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(parley.startMs);
    await broken;
  },
  TEST_MS,
);

test(
  "with DRAIN_DELAY_SECONDS calls are taken while /readyz is 503, and then the port is closed",
  async () => {
    await start({ SHUTDOWN_SECONDS: "30", DRAIN_DELAY_SECONDS: "2" });
    const go = Promise.withResolvers<void>();
    upstream.behave(({ bodyText }) => (bodyText.includes("held") ? heldUntil(go.promise) : answer));
    const held = await openStream(parley.url, { user_content: "held", stream: true });
    const idle = createConnection({ port: parley.port, host: "127.0.0.1" });
    idle.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(String((await once(idle, "data"))[0])).toContain("Connection: keep-alive");
    const idleEnded = once(idle.resume(), "end");

    parley.signal("SIGTERM");
    await parley.waitForLog(/"open_calls":1,"seconds":2.*"leaving"/);
    const startedMs = performance.now();
    const ready = await postJson(`${parley.url}/readyz`, undefined, { method: "GET" });
    expect(ready).toMatchObject({ status: 503, json: { status: "draining" } });
    const keepAlive = { headers: { connection: "keep-alive" } };
    for (const body of [QUESTION, STREAMED]) {
      const { status, headers } = await postJson(parley.url, body, keepAlive);
      expect([status, headers.connection]).toEqual([200, "close"]);
    }
    expect(parley.output.join("\n")).not.toContain('"draining"');

    await parley.waitForLog(/"draining"/);
    expect(performance.now() - startedMs).toBeGreaterThan(1_500); // the line was read a while later
    await deadline(idleEnded, WAIT_MS, "the idle connection ends");
    await expect(postJson(parley.url, QUESTION)).rejects.toThrow("ECONNREFUSED");
    go.resolve();
    expect((await Array.fromAsync(held.events)).at(-1)).toBe("[DONE]");
    expect(await exited()).toBe(0);
    expect(parley.output.join("\n")).toMatch(/"cut":0.*"drained"/);
  },
  TEST_MS,
);

test(
  "a second signal ends the process at once while calls are still taken",
  async () => {
    await start({ DRAIN_DELAY_SECONDS: "300" });
    parley.signal("SIGTERM");
    await parley.waitForLog(/"leaving"/);
    const startedMs = performance.now();
    parley.signal("SIGTERM");
    expect(await exited()).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(parley.startMs);
  },
  TEST_MS,
);

test(
  "SIGINT drains like SIGTERM",
  async () => {
    await start({ SHUTDOWN_SECONDS: "30" });
    const go = Promise.withResolvers<void>();
    upstream.behave(heldUntil(go.promise));
    const [stream] = await openStreams(1);
    parley.signal("SIGINT");
    await parley.waitForLog(/"draining"/);
    go.resolve();
    await stream?.ended;
    expect(stream?.events.at(-1)).toBe("[DONE]");
    expect(await exited()).toBe(0);
  },
  TEST_MS,
);

test(
  "connections on which nothing is asked do not hold the exit",
  async () => {
    await start({ SHUTDOWN_SECONDS: "30" });
    const beginnings = [
      "",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Ty",
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    const sockets = await Promise.all(
      beginnings.flatMap((beginning) =>
        Array.from({ length: 5 }, async () => {
          const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
          socket.on("error", () => undefined);
          await once(socket, "connect");
          socket.write(beginning);
          if (beginning.startsWith("GET")) await once(socket, "data");
          else socket.resume();
          return socket;
        }),
      ),
    );
    const startedMs = performance.now();
    parley.signal("SIGTERM");
    expect(await exited()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(parley.startMs);
    for (const socket of sockets) socket.destroy();
  },
  TEST_MS,
);
