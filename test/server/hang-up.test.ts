import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { afterEach, beforeAll, expect, test } from "vitest";
import { firstTokenAfter, sequence, silent, stallMidStream } from "../support/faults.ts";
import { deadline, openStream, postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";
import { expectPrompt, neighborCall } from "../support/timing.ts";
import {
  answer,
  type Behaviour,
  composeAnswer,
  goodHeaders,
  type ScriptedUpstream,
} from "../support/upstream.ts";

const WAIT_MS = 10_000;
const TEST_MS = 40_000;
const RUNS = 200;
const ABANDONED = 1_000;
const AT_A_TIME = 25;
/** The listening one, those of a run-time, one for the metrics; connections upstream may be kept. */
const FEW_SOCKETS = 6;
const QUESTION = { user_content: "one two three four five" };
const STREAMED = { ...QUESTION, stream: true };

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
beforeAll(async () => {
  ({ upstream, parley } = await startPair({}, { withCollector: true }));
}, TEST_MS);
afterEach(async () => {
  await settled();
  expect(parley.output.filter((line) => /unexpected error|unhandled|uncaught/.test(line))).toEqual(
    [],
  );
}, TEST_MS);

function requestBytes(body: object, extra = ""): string {
  const text = JSON.stringify(body);
  const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${extra}`;
  return `${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

async function connect(): Promise<Socket> {
  const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Hangs up `RUNS` times as soon as `isReady`, and expects the upstream to be closed at once. */
async function hangUpPromptly(
  name: string,
  body: object,
  isReady: (socket: Socket) => Promise<unknown>,
): Promise<void> {
  const tookMs: number[] = [];
  const neighborsMs: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { count } = upstream.closedEarly;
    const socket = await connect();
    const ready = isReady(socket);
    socket.write(requestBytes(body));
    await deadline(ready, WAIT_MS, `run ${run} is ready`);
    neighborsMs.push(await neighborCall(parley.url));
    const leftMs = performance.now();
    socket.destroy();
    await upstream.waitFor(() => upstream.closedEarly.count > count, {
      label: `run ${run} is closed upstream`,
      timeoutMs: WAIT_MS,
    });
    tookMs.push((upstream.closedEarly.atMs.at(-1) ?? Number.NaN) - leftMs);
  }
  expectPrompt(name, tookMs, neighborsMs);
}

const nextUpstream = () => {
  const next = upstream.requests.at(-1)?.serial ?? 0;
  return () =>
    upstream.waitFor(() => (upstream.requests.at(-1)?.serial ?? 0) > next && upstream.open() > 0, {
      label: "the upstream is asked",
      timeoutMs: WAIT_MS,
    });
};

test(
  "a stream left before its headers is closed upstream at once",
  async () => {
    upstream.behave(silent);
    await hangUpPromptly("before headers", STREAMED, () => nextUpstream()());
  },
  TEST_MS,
);

test(
  "a stream left in its middle is closed upstream at once",
  async () => {
    upstream.behave(stallMidStream);
    await hangUpPromptly("mid-stream", STREAMED, sawDelta);
  },
  TEST_MS,
);

test(
  "a JSON call left while the upstream thinks is closed upstream at once",
  async () => {
    upstream.behave(silent);
    await hangUpPromptly("JSON", QUESTION, () => nextUpstream()());
  },
  TEST_MS,
);

test(
  "a JSON call left while its answer arrives is closed upstream at once",
  async () => {
    upstream.behave(firstTokenAfter(60_000));
    await hangUpPromptly("JSON, after the upstream's headers", QUESTION, () => nextUpstream()());
  },
  TEST_MS,
);

test(
  "a call waiting to be tried again is given up, and not asked again",
  async () => {
    const answered = Promise.withResolvers<void>();
    const fail: Behaviour = {
      name: "500",
      run: ({ response }) => {
        response.writeHead(500, { "content-type": "application/json" });
        response.end("{}", answered.resolve);
      },
    };
    upstream.behave(fail);
    const { serial: before = 0 } = upstream.requests.at(-1) ?? {};
    const socket = await connect();
    socket.write(requestBytes(QUESTION));
    await deadline(answered.promise, WAIT_MS, "the first try is answered");
    socket.destroy();
    await settled();

    // takes as long as the other would have: two pauses
    upstream.behave(sequence([fail, fail, answer]));
    const { serial: between = 0 } = upstream.requests.at(-1) ?? {};
    expect((await postJson(parley.url, QUESTION)).status).toBe(200);
    expect(between - before).toBe(1);
    expect((upstream.requests.at(-1)?.serial ?? 0) - between).toBe(3);
  },
  TEST_MS,
);

test(
  "calls pipelined on a connection are given up with it, those in the queue too",
  async () => {
    upstream.behave(silent);
    const { count } = upstream.closedEarly;
    const socket = await connect();
    socket.write(requestBytes(STREAMED) + requestBytes(STREAMED) + requestBytes(QUESTION));
    await upstream.waitFor(() => upstream.open() === 3, { label: "3 open", timeoutMs: WAIT_MS });
    socket.destroy();
    await upstream.waitFor(() => upstream.closedEarly.count === count + 3, {
      label: "all 3 closed",
      timeoutMs: WAIT_MS,
    });
  },
  TEST_MS,
);

test(
  "a client that closes its sending side counts as gone: nothing tells the two apart",
  async () => {
    upstream.behave(stallMidStream);
    const { count } = upstream.closedEarly;
    const socket = await connect();
    const ready = sawDelta(socket);
    socket.write(requestBytes(STREAMED));
    await deadline(ready, WAIT_MS, "the first delta");
    const closed = once(socket, "close");
    socket.end();
    await upstream.waitFor(() => upstream.closedEarly.count === count + 1, {
      label: "closed upstream",
      timeoutMs: WAIT_MS,
    });
    await deadline(closed, WAIT_MS, "the connection is closed");
  },
  TEST_MS,
);

test(
  `${ABANDONED} streams abandoned anywhere leave nothing behind`,
  async () => {
    upstream.behave(slowly);
    const random = createRandom(20_261_107);
    await abandon(200, random); // what is made once, is made
    await settled();
    const heapBefore = await parley.liveBytes();
    const socketsBefore = parley.openSockets();

    await abandon(ABANDONED, random);
    await settled();
    expect(await parley.metric("parley_open_calls")).toBe(0);
    expect(upstream.open()).toBe(0);
    const grownBytes = (await parley.liveBytes()) - heapBefore;
    process.stdout.write(
      `hang-up, ${ABANDONED} abandoned: live memory ${Math.round(grownBytes / 1_024)} KiB, ` +
        `sockets ${socketsBefore} -> ${parley.openSockets()}\n`,
    );
    expect(grownBytes).toBeLessThan(1_048_576);
    expect(parley.openSockets()).toBeLessThanOrEqual(AT_A_TIME + FEW_SOCKETS);
    const whoami = await postJson(`${parley.url}/whoami`, undefined, { method: "GET" });
    expect(whoami.json).toMatchObject({ streams: { open: 0 } });

    upstream.behave(slowly);
    const stream = await openStream(parley.url, STREAMED);
    expect((await Array.fromAsync(stream.events)).at(-1)).toBe("[DONE]");
  },
  TEST_MS,
);

const sawDelta = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.on("data", (part) => {
      if (part.includes('"delta"')) resolve();
    });
  });

/** An event a turn, so that a client can leave between any two. */
const slowly: Behaviour = {
  name: "an event a turn",
  run: async ({ request, response, write }) => {
    const text = () => "a".repeat(400);
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    for (const event of composeAnswer(request, { text }).events) await write(event);
    response.end();
  },
};

async function settled(): Promise<void> {
  await upstream.waitFor(() => upstream.open() === 0, { label: "none open", timeoutMs: WAIT_MS });
  await until(async () => (await parley.metric("parley_open_calls")) === 0, {
    label: "no open calls",
    timeoutMs: WAIT_MS,
  });
}

async function abandon(times: number, random: () => number): Promise<void> {
  let left = times;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await abandonOne(random());
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/** Leaves while it asks, right after, or once so many bytes of the answer have come. */
async function abandonOne(chance: number): Promise<void> {
  const socket = await connect();
  const bytes = requestBytes(STREAMED);
  if (chance < 0.1) {
    socket.write(bytes.slice(0, Math.floor(chance * 10 * bytes.length)));
  } else if (chance < 0.2) {
    socket.write(bytes);
  } else {
    const enough = Math.floor((chance - 0.2) * 2_500);
    let received = 0;
    const left = new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.on("data", (part) => {
        received += part.length;
        if (received > enough || part.includes("[DONE]")) resolve();
      });
    });
    socket.write(bytes);
    await deadline(left, WAIT_MS, "the answer so far");
  }
  if (chance < 0.6) socket.resetAndDestroy();
  else socket.destroy();
}

/** mulberry32: the same numbers in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
