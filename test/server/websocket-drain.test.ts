import { expect, test } from "vitest";
import { connectRaw, frame, OPCODE } from "../support/frames.ts";
import { freePort } from "../support/free-port.ts";
import { deadline } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { Environment, ParleyProcess } from "../support/process.ts";
import {
  type Behaviour,
  composeAnswer,
  goodHeaders,
  type ScriptedUpstream,
} from "../support/upstream.ts";
import { connect, connectInVain, readText, type WebSocketClient } from "../support/websocket.ts";

const WAIT_MS = 10_000;
const TEST_MS = 40_000;
const ASK = "<|ask|>$new$new$one two three four five";
const protocol = "parley.v1";

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
let oldPort: number;

async function start(env: Environment = {}): Promise<void> {
  oldPort = await freePort();
  const ports = { WS_PORT: String(oldPort), WS_CONNECTIONS: "0" };
  ({ parley, upstream } = await startPair({ ...ports, ...env }));
}

/** Sends the first delta and the others once `go` has resolved. */
function heldUntil(go: Promise<void>): Behaviour {
  return {
    name: "held",
    run: async ({ request, response, write }) => {
      const [first = "", second = "", ...rest] = composeAnswer(request).events;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      await write(first + second);
      await go;
      response.end(rest.join(""));
    },
  };
}

/** Connections on both ports whose question has its first delta, half of them in JSON. */
async function openQuestions(count: number): Promise<WebSocketClient[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const inJson = index % 2 === 0;
      const url = index % 4 < 2 ? `${parley.url}/ask` : `ws://127.0.0.1:${oldPort}/`;
      const client = await connect(url, inJson ? { protocol } : {});
      client.send(inJson ? { type: "ask", id: "q", prompt: "one two three four five" } : ASK);
      await client.next("the first delta");
      return client;
    }),
  );
}

/** The last frame of the answer. */
async function lastOf(client: WebSocketClient): Promise<string> {
  if (client.ws.protocol !== protocol) return (await readText(client)).end;
  for (;;) {
    const text = await client.next("the end");
    if (!text.includes('"type":"delta"')) return text;
  }
}

const exited = () => deadline(parley.exit, WAIT_MS, "the process is gone");
const unexpected = () =>
  parley.output.filter((line) => /unexpected error|unhandled|uncaught/.test(line));

test(
  "answers end whole, idle connections go at once, and nobody new is let in",
  async () => {
    await start({ SHUTDOWN_SECONDS: "30" });
    const go = Promise.withResolvers<void>();
    upstream.behave(heldUntil(go.promise));
    const asking = await openQuestions(12);
    const idle = await Promise.all([
      connect(`${parley.url}/ask`),
      connect(`ws://127.0.0.1:${oldPort}/`),
    ]);

    parley.signal("SIGTERM");
    await parley.waitForLog(/"open_calls":12.*"draining"/);
    const startedMs = performance.now();
    for (const client of idle) {
      expect(await client.closed()).toEqual({ code: 1012, reason: "stopping" });
    }
    expect(performance.now() - startedMs).toBeLessThan(parley.startMs);
    for (const url of [`${parley.url}/ask`, `http://127.0.0.1:${oldPort}/`]) {
      expect((await connectInVain(url)).json).toMatchObject({ detail: "draining" });
    }
    const [first] = asking;
    first?.send({ type: "ask", id: "late", prompt: "hi" });
    expect(await first?.nextJson()).toMatchObject({ type: "error", id: "late", code: "draining" });

    go.resolve();
    for (const client of asking) {
      expect(await lastOf(client)).toMatch(/^<\|end\|>\$|"type":"end"/);
      expect(await client.closed()).toEqual({ code: 1012, reason: "stopping" });
    }
    expect(await exited()).toBe(0);
    expect(parley.output.join("\n")).toMatch(/"cut":0.*"drained"/);
    expect(unexpected()).toEqual([]);
  },
  TEST_MS,
);

test(
  "with DRAIN_DELAY_SECONDS connections are kept and made, until the drain begins",
  async () => {
    await start({ DRAIN_DELAY_SECONDS: "2" });
    const early = await connect(`${parley.url}/ask`, { protocol });
    parley.signal("SIGTERM");
    await parley.waitForLog(/"leaving"/);
    const late = await connect(`ws://127.0.0.1:${oldPort}/`, { protocol });
    for (const client of [early, late]) {
      client.send({ type: "ask", id: "q", prompt: "hi" });
      expect(await lastOf(client)).toContain('"type":"end"');
    }
    expect(parley.output.join("\n")).not.toContain('"draining"');
    for (const client of [early, late]) {
      expect(await client.closed()).toEqual({ code: 1012, reason: "stopping" });
    }
    expect(await exited()).toBe(0);
  },
  TEST_MS,
);

test(
  "answers longer than SHUTDOWN_SECONDS end with an error and the process in order",
  async () => {
    await start({ SHUTDOWN_SECONDS: "1" });
    upstream.behave(heldUntil(new Promise(() => {})));
    const asking = await openQuestions(12);
    parley.signal("SIGTERM");
    await parley.waitForLog(/"draining"/);
    const startedMs = performance.now();
    for (const client of asking) {
      expect(await lastOf(client)).toMatch(/^<\|err\|>\$.*stop|"type":"error".*"code":"draining"/);
      expect(await client.closed()).toEqual({ code: 1012, reason: "stopping" });
    }
    expect(await exited()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(3_000 + parley.startMs);
    expect(parley.output.join("\n")).toMatch(/"cut":12.*"drained"/);
    expect(unexpected()).toEqual([]);
  },
  TEST_MS,
);

test(
  "readers that take nothing, and clients that never say goodbye, do not hold the end up",
  async () => {
    await start({ SHUTDOWN_SECONDS: "1" });
    upstream.behave({
      name: "more than a socket holds",
      run: async ({ request, response, write }) => {
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        const [, delta = ""] = composeAnswer(request, {
          text: () => "\u0001".repeat(5_000),
        }).events;
        for (let count = 0; count < 1_000; count += 1) await write(delta);
      },
    });
    const stuck = await connectRaw(parley.port, [`Sec-WebSocket-Protocol: ${protocol}`]);
    stuck.socket.pause();
    const question = JSON.stringify({ type: "ask", id: "q", prompt: "hi" });
    stuck.socket.write(frame(OPCODE.text, question));
    const mute = await connectRaw(parley.port);
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: WAIT_MS });
    parley.signal("SIGTERM");
    await parley.waitForLog(/"draining"/);
    const startedMs = performance.now();
    expect(await exited()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(4_000 + parley.startMs);
    expect(await mute.gone()).toBe(1012);
    expect(unexpected()).toEqual([]);
    stuck.socket.destroy();
  },
  TEST_MS,
);
