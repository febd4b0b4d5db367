import { once } from "node:events";
import { constants } from "node:http2";
import { afterEach, beforeAll, expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { freePort } from "../support/free-port.ts";
import { createGrpcClient, type GrpcClient } from "../support/grpc.ts";
import {
  framed,
  openAsk,
  openSession,
  PREFACE,
  rawCall,
  rawFrame,
  requestOf,
  SETTINGS,
  statusOf,
  throwBytes,
} from "../support/grpc-raw.ts";
import { deadline } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";
import type { ScriptedUpstream } from "../support/upstream.ts";

const WAIT_MS = 10_000;
const TEST_MS = 60_000;
const MEGABYTE = 1_048_576;

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
let client: GrpcClient;
let port: number;
beforeAll(async () => {
  port = await freePort();
  const env = { GRPC_PORT: String(port), UPSTREAM_IDLE_SECONDS: "60" };
  ({ upstream, parley } = await startPair(env, { withCollector: true }));
  client = closeAfterFile(createGrpcClient(`127.0.0.1:${port}`));
}, TEST_MS);
afterEach(async () => {
  expect((await client.ask({ prompt: "still there?" })).text).toBe("echo: still there?");
  expect(parley.output.filter((line) => /unexpected error|unhandled|uncaught/.test(line))).toEqual(
    [],
  );
});

const clientHello = Buffer.from(`1603010200010001fc0303${"ab".repeat(505)}`, "hex");
const noHttp2: [string, Uint8Array][] = [
  ["HTTP/1", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
  [
    "an upgrade to HTTP/2",
    Buffer.from(
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
    ),
  ],
  ["TLS", clientHello],
  ["zeros", Buffer.alloc(64)],
  ["the preface and zeros", Buffer.concat([PREFACE, Buffer.alloc(4_096)])],
  [
    "a frame that is too large",
    Buffer.concat([
      PREFACE,
      SETTINGS,
      Buffer.from("ffffff000000000001", "hex"),
      Buffer.alloc(70_000),
    ]),
  ],
  [
    "data on no stream",
    Buffer.concat([PREFACE, SETTINGS, Buffer.from("00000100010000000141", "hex")]),
  ],
];

test.each(noHttp2)("%s closes its connection and no other", async (_what, bytes) => {
  const socket = await throwBytes(port, bytes);
  socket.resume();
  await deadline(once(socket, "close"), WAIT_MS, "the connection is closed");
});

const nested = Buffer.alloc(MEGABYTE - 1_024, 0x3b); // groups in groups
const messages: [string, Uint8Array, string][] = [
  ["garbage", Buffer.from("ffffffffffff", "hex"), "grpc 3"],
  ["groups in groups", nested, "grpc 3"],
  ["nothing", Buffer.alloc(0), "grpc 3"],
  ["fields that are not known", Buffer.from([0x0a, 0x01, 0x41, 0xfa, 0x06, 0x01, 0x42]), "grpc 0"],
  ["bytes that are no UTF-8", Buffer.from([0x0a, 0x03, 0xed, 0xa0, 0x80]), "grpc 0"],
  ["too much", Buffer.alloc(2 * MEGABYTE), "grpc 8"],
];

test.each(messages)("a message of %s has a status: %#", async (_what, message, expected) => {
  const session = await openSession(port);
  const stream = openAsk(session);
  stream.end(framed(message));
  expect(await statusOf(stream)).toBe(expected);
  session.close();
});

test("what is no call of a known method has a status", async () => {
  const session = await openSession(port);
  const ended = async (headers: Record<string, string>, ...parts: Uint8Array[]) => {
    const stream = openAsk(session, headers);
    for (const part of parts) stream.write(part);
    stream.end();
    return statusOf(stream);
  };
  expect(await ended({})).toBe("grpc 12"); // no message
  expect(await ended({}, framed(requestOf("a")), framed(requestOf("b")))).toBe("grpc 3");
  expect(await ended({ ":path": "/chat.Chat/None" })).toBe("grpc 12");
  expect(await ended({ "content-type": "application/json" })).toBe("http 415");
  expect(await ended({ "grpc-timeout": "soon" }, framed(requestOf("a")))).toBe("grpc 13");
  expect(await ended({ "grpc-encoding": "none" }, Buffer.from([1, 0, 0, 0, 1, 1]))).toBe("grpc 12");
  expect(await ended({ "grpc-encoding": "gzip" }, Buffer.from([1, 0, 0, 0, 1, 1]))).toBe("grpc 13");
  expect(await ended({ "x-large": "h".repeat(70_000) }, framed(requestOf("a")))).toMatch(/reset/);
  session.destroy();
});

test("messages that arrive slowly take room as they arrive, at most a quarter for an address", async () => {
  const session = await openSession(port);
  const large = Buffer.concat([Buffer.from([0x0a, 0xa0, 0x9c, 0x01]), Buffer.alloc(20_000, "x")]);
  const other = await openSession(port, "127.0.0.2");
  const askElsewhere = () => {
    const stream = openAsk(other);
    stream.end(framed(large));
    return statusOf(stream);
  };
  const upload = (bytes: number) => {
    const stream = openAsk(session);
    stream.write(framed(Buffer.alloc(bytes), MEGABYTE));
    return statusOf(stream).catch(() => "");
  };
  for (let count = 0; count < 70; count += 1) void upload(1);
  expect((await client.ask({ prompt: "x".repeat(20_000) })).text).toHaveLength(20_006);
  const told = new Set<string>();
  for (let count = 0; count < 25; count += 1) void upload(900_000).then((one) => told.add(one));
  await until(() => told.size > 0, { label: "some have no room", timeoutMs: WAIT_MS });
  expect(told).toEqual(new Set(["grpc 14"]));
  expect(await askElsewhere()).toBe("grpc 0");
  session.destroy();
  other.destroy();
  await until(async () => (await parley.metric("parley_open_calls")) === 0, {
    label: "no call is open",
    timeoutMs: WAIT_MS,
  });
  const larger = "x".repeat(100_000);
  expect((await client.ask({ prompt: larger })).text).toBe(`echo: ${larger}`);
});

test("1,000 calls reset at once leave nothing behind", async () => {
  const before = parley.openSockets(upstream.port);
  const sessions = await Promise.all(Array.from({ length: 10 }, () => openSession(port)));
  for (const session of sessions) {
    for (let calls = 0; calls < 100; calls += 1) {
      const stream = openAsk(session);
      stream.write(framed(requestOf("reset")));
      stream.close(constants.NGHTTP2_CANCEL);
    }
  }
  await until(async () => (await parley.metric("parley_open_calls")) === 0, {
    label: "no call is open",
    timeoutMs: WAIT_MS,
  });
  for (const session of sessions) session.destroy();
  await until(() => parley.openSockets(upstream.port) <= before, {
    label: "all connections are closed",
    timeoutMs: WAIT_MS,
  });
});

const throwFrames = (one: Uint8Array) =>
  throwBytes(port, Buffer.concat([PREFACE, SETTINGS, ...Array<Uint8Array>(20_000).fill(one)]));

/** Each fills one connection with what costs little to send. */
const floods: [string, (round: number) => Promise<{ destroy(): unknown }>][] = [
  ["pings", () => throwFrames(Buffer.from("0000080600000000000000000000000000", "hex"))],
  ["settings", () => throwFrames(SETTINGS)],
  ["priorities", () => throwFrames(Buffer.from("00000502000000000100000000ff", "hex"))],
  ["window updates", () => throwFrames(Buffer.from("00000408000000000000000001", "hex"))],
  [
    "empty pieces of a message",
    () => {
      const empty = Array<Buffer>(20_000).fill(rawFrame("data", Buffer.alloc(0)));
      return throwBytes(port, Buffer.concat([rawCall(), ...empty]));
    },
  ],
  [
    "headers without an end",
    () => {
      const head = Buffer.from("000001010000000001" + "88", "hex");
      const more = Buffer.concat([
        Buffer.from("003e80090000000001", "hex"),
        Buffer.alloc(16_000, 0x40),
      ]);
      return throwBytes(port, Buffer.concat([PREFACE, SETTINGS, head, ...Array(50).fill(more)]));
    },
  ],
  [
    "half messages",
    async () => {
      const session = await openSession(port);
      for (let calls = 0; calls < 100; calls += 1) {
        openAsk(session).write(framed(Buffer.alloc(60_000), MEGABYTE - 100));
      }
      return session;
    },
  ],
  [
    "empty messages",
    async () => {
      const session = await openSession(port);
      const paths = [
        "/chat.Chat/Ask",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/StreamObserver",
      ];
      for (let calls = 0; calls < 100; calls += 1) {
        openAsk(session, { ":path": paths[calls % 3] ?? "" }).write(Buffer.alloc(5 * 3_000));
      }
      return session;
    },
  ],
  [
    "reflection that nobody reads",
    async () => {
      const session = await openSession(port);
      session.setLocalWindowSize(65_535);
      for (let calls = 0; calls < 10; calls += 1) {
        const stream = openAsk(session, {
          ":path": "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        });
        stream.pause();
        const ask = framed(Buffer.from([0x22, 0x09, ...Buffer.from("chat.Chat")]));
        stream.write(Buffer.concat(Array(2_000).fill(ask)));
      }
      return session;
    },
  ],
  [
    "health of many names",
    async (round) => {
      const session = await openSession(port);
      for (let calls = 0; calls < 100; calls += 1) {
        const name = Buffer.alloc(1_000, `${round} ${calls} `);
        const stream = openAsk(session, { ":path": "/grpc.health.v1.Health/StreamObserver" });
        stream.end(framed(Buffer.concat([Buffer.from([0x0a, 0xe8, 0x07]), name])));
      }
      return session;
    },
  ],
];

test.each(floods)(
  "50 floods of %s are outlived, and the memory comes back",
  async (_what, flood) => {
    const liveBefore = await parley.liveBytes();
    const before = parley.residentBytes();
    const sockets = parley.openSockets(upstream.port);
    const attackers = await Promise.all(Array.from({ length: 50 }, (_, round) => flood(round)));
    expect((await client.ask({ prompt: "meanwhile" })).text).toBe("echo: meanwhile");
    const during = parley.residentBytes() - before;
    const held = (await parley.liveBytes()) - liveBefore;
    for (const attacker of attackers) attacker.destroy();
    await until(() => parley.openSockets(upstream.port) <= sockets, {
      label: "all connections are closed",
      timeoutMs: WAIT_MS,
    });
    await until(async () => (await parley.metric("parley_open_calls")) === 0, {
      label: "no call is open",
      timeoutMs: WAIT_MS,
    });
    const live = (await parley.liveBytes()) - liveBefore;
    process.stdout.write(
      `flood of ${_what}: RSS +${(during / MEGABYTE).toFixed(1)} MB, held +${(held / MEGABYTE).toFixed(1)} MB, in use afterwards +${(live / MEGABYTE).toFixed(1)} MB\n`,
    );
    expect(live).toBeLessThan(8 * MEGABYTE);
    // what has arrived on 50 connections; objects made of it would be several hundred
    expect(held).toBeLessThan(96 * MEGABYTE);
  },
  TEST_MS,
);
