import { afterEach, beforeAll, expect, test } from "vitest";
import { silent, stallMidStream } from "../support/faults.ts";
import { connectRaw, frame, OPCODE } from "../support/frames.ts";
import { postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";
import { expectPrompt, neighborCall } from "../support/timing.ts";
import { answer, type ScriptedUpstream } from "../support/upstream.ts";
import { connect, type WebSocketClient } from "../support/websocket.ts";

const WAIT_MS = 10_000;
const TEST_MS = 40_000;
const RUNS = 100;
const ABANDONED = 500;
const AT_A_TIME = 25;
const protocol = "parley.v1";
const QUESTION = { type: "ask", id: "q", prompt: "one two three four five" };

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
beforeAll(async () => {
  ({ upstream, parley } = await startPair({ WS_CONNECTIONS: "0" }, { withCollector: true }));
}, TEST_MS);
afterEach(async () => {
  await settled();
  expect(parley.output.filter((line) => /unexpected error|unhandled|uncaught/.test(line))).toEqual(
    [],
  );
}, TEST_MS);

async function settled(): Promise<void> {
  await upstream.waitFor(() => upstream.open() === 0, { label: "none open", timeoutMs: WAIT_MS });
  await until(async () => (await parley.metric("parley_open_calls")) === 0, {
    label: "no open calls",
    timeoutMs: WAIT_MS,
  });
}

/** Leaves `RUNS` times in the middle of a question, and expects the upstream to be closed at once. */
async function leavePromptly(
  name: string,
  leave: (client: WebSocketClient) => void,
): Promise<void> {
  const tookMs: number[] = [];
  const neighborsMs: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { count } = upstream.closedEarly;
    const client = await connect(`${parley.url}/ask`, { protocol });
    client.send(QUESTION);
    await upstream.waitFor(() => upstream.open() === 1, {
      label: `run ${run} is asked`,
      timeoutMs: WAIT_MS,
    });
    neighborsMs.push(await neighborCall(parley.url));
    const leftMs = performance.now();
    leave(client);
    await upstream.waitFor(() => upstream.closedEarly.count > count, {
      label: `run ${run} is closed upstream`,
      timeoutMs: WAIT_MS,
    });
    tookMs.push((upstream.closedEarly.atMs.at(-1) ?? Number.NaN) - leftMs);
    client.ws.terminate();
  }
  expectPrompt(`WebSocket, ${name}`, tookMs, neighborsMs);
}

const ways: [string, (client: WebSocketClient) => void][] = [
  ["dropped", (client) => client.ws.terminate()],
  ["closed in order", (client) => client.ws.close(1000)],
  ["taken back", (client) => client.send({ type: "cancel", id: "q" })],
];

test.each(ways)(
  "a question whose connection is left in its middle is closed upstream at once: %s",
  async (name, leave) => {
    upstream.behave(stallMidStream);
    await leavePromptly(`${name} mid-stream`, leave);
  },
  TEST_MS,
);

test.each(ways)(
  "a question that is left before its answer is closed upstream at once: %s",
  async (name, leave) => {
    upstream.behave(silent);
    await leavePromptly(`${name} before its answer`, leave);
  },
  TEST_MS,
);

test(
  "a client that says goodbye and keeps its connection is gone, too",
  async () => {
    upstream.behave(stallMidStream);
    const { count } = upstream.closedEarly;
    const { socket, gone } = await connectRaw(parley.port, [], { allowHalfOpen: true });
    socket.write(frame(OPCODE.text, "<|ask|>$new$new$one two three"));
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: WAIT_MS });
    let closed = false;
    const closing = gone().finally(() => {
      closed = true;
    });
    socket.write(frame(OPCODE.close, Uint8Array.of(3, 232)));
    await upstream.waitFor(() => upstream.closedEarly.count > count, {
      label: "closed upstream",
      timeoutMs: WAIT_MS,
    });
    // the connection itself is given two seconds more
    expect(closed).toBe(false);
    socket.end();
    expect(await closing).toBe(1000);
  },
  TEST_MS,
);

test(
  "questions that wait are given up with their connection, and never asked",
  async () => {
    upstream.behave(silent);
    const client = await connect(`${parley.url}/ask`);
    for (let count = 0; count < 9; count += 1) client.send(`<|ask|>$new$new$${count}`);
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: WAIT_MS });
    await until(async () => (await parley.metric("parley_open_calls")) === 9, {
      label: "all are open",
      timeoutMs: WAIT_MS,
    });
    const { length } = upstream.requests;
    client.ws.terminate();
    await settled();
    expect(upstream.requests).toHaveLength(length);
  },
  TEST_MS,
);

test(
  `${ABANDONED} connections abandoned anywhere leave nothing behind`,
  async () => {
    upstream.behave(answer);
    await abandon(100); // what is made once, is made
    await settled();
    const heapBefore = await parley.liveBytes();
    const socketsBefore = parley.openSockets(upstream.port);
    await abandon(ABANDONED);
    await settled();
    await until(() => parley.openSockets(upstream.port) <= socketsBefore, {
      label: "no socket is left",
      timeoutMs: WAIT_MS,
    });
    const grownBytes = (await parley.liveBytes()) - heapBefore;
    process.stdout.write(
      `websocket hang-up, ${ABANDONED} abandoned: live memory ${Math.round(grownBytes / 1_024)} KiB\n`,
    );
    expect(grownBytes).toBeLessThan(1_048_576);
    const whoami = await postJson(`${parley.url}/whoami`, undefined, { method: "GET" });
    expect(whoami.json).toMatchObject({ streams: { open: 0 } });
  },
  TEST_MS,
);

async function abandon(times: number): Promise<void> {
  let left = times;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await abandonOne(left);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/** Leaves right after the handshake, after asking, or once so many frames have come. */
async function abandonOne(serial: number): Promise<void> {
  const depth = serial % 8;
  const inJson = serial % 2 === 0;
  const client = await connect(`${parley.url}/ask`, inJson ? { protocol } : {});
  if (depth > 0) client.send(inJson ? QUESTION : "<|ask|>$new$new$one two three four");
  for (let frames = 1; frames < depth; frames += 1) await client.next().catch(() => "");
  if (serial % 3 === 0) await client.close();
  else client.ws.terminate();
}
