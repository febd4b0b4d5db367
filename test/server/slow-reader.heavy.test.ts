import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { beforeAll, expect, test } from "vitest";
import { deadline, openStream, postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";
import {
  answer,
  type Behaviour,
  composeAnswer,
  goodHeaders,
  type ScriptedUpstream,
} from "../support/upstream.ts";

const WAIT_MS = 10_000;
/** Others share the event loop with what the slow readers' answers cost, and wait for no reader. */
const MAX_SLOWDOWN = 10;
const READ_ALL_MS = 20_000;
const TEST_MS = 40_000;
const READERS = 50;
const MEGABYTE = 1_048_576;
/** All readers together. */
const OFFERED_BYTES = 1_200 * MEGABYTE;
const PER_READER_BYTES = 2 * MEGABYTE;
/** What the kernel keeps of one answer on its way: two connections, a buffer on each side. */
const KERNEL_BYTES = 14 * MEGABYTE;
/** So long nothing more was taken means that nothing more will be. */
const QUIET_MS = 500;
/** Over /v1: the envelope keeps an answer's text for its last event and bounds it for that. */
const SLOW = { model: "slow", messages: [{ role: "user", content: "everything" }], stream: true };
const QUESTION = { user_content: "one two three four five" };

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
beforeAll(async () => {
  ({ upstream, parley } = await startPair({}, { withCollector: true }));
}, TEST_MS);

/** Asks and takes the first bytes of the answer, no more. */
async function ask(): Promise<Socket> {
  const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  const text = JSON.stringify(SLOW);
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    "Host: x",
    "Authorization: Bearer sk-own",
    "Content-Type: application/json",
    `Content-Length: ${text.length}`,
  ].join("\r\n");
  socket.write(`${head}\r\n\r\n${text}`);
  await deadline(once(socket, "readable"), WAIT_MS, "the answer begins");
  return socket;
}

/** Deltas of about a kilobyte, up to `bytes`. */
function createLongStream(bytes: number): Behaviour & { written(): number } {
  let written = 0;
  return {
    name: `stream of ${bytes} bytes`,
    written: () => written,
    run: async ({ request, response, write }) => {
      const { events } = composeAnswer(request, { text: () => "x".repeat(1_024) });
      const [start = "", delta = "", ...others] = events;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      await write(start);
      const part = delta.repeat(64);
      for (let left = bytes; left > 0; left -= part.length) {
        written += part.length;
        await write(part);
      }
      response.end(others.slice(4).join(""));
    },
  };
}

/** Takes the rest of an answer as fast as it comes; how many bytes it was, once [DONE] was among them. */
async function readOn(reader: Socket): Promise<number> {
  let tail = "";
  let received = 0;
  reader.on("data", (part: Buffer) => {
    received += part.length;
    tail = (tail + part.subarray(-100).toString("latin1")).slice(-100);
    if (tail.includes("data: [DONE]")) reader.destroy();
  });
  await deadline(once(reader, "close"), READ_ALL_MS, "the reader has everything");
  expect(tail).toContain("data: [DONE]");
  return received;
}

const askOthers = async () => {
  const startedMs = performance.now();
  const replies = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const stream = await openStream(parley.url, { ...QUESTION, stream: true });
      const last = (await Array.fromAsync(stream.events)).at(-1);
      return [(await postJson(parley.url, QUESTION)).status, last];
    }),
  );
  expect(replies).toEqual(Array(10).fill([200, "[DONE]"]));
  return performance.now() - startedMs;
};

test(
  "readers that stop reading cost two megabytes each, and nobody else waits for them",
  async () => {
    // what any flow of this size leaves in the heap until it is collected isn't the slow readers' doing
    upstream.behave(createLongStream(32 * MEGABYTE));
    await Promise.all(Array.from({ length: 4 }, async () => readOn(await ask())));
    const stream = createLongStream(OFFERED_BYTES / READERS);
    upstream.behave(({ json }) =>
      typeof json === "object" && json !== null && Reflect.get(json, "model") === "slow"
        ? stream
        : answer,
    );
    await askOthers(); // compiles what they need
    const aloneMs = await askOthers();
    const liveBefore = await parley.liveBytes();
    const before = parley.residentBytes();
    const sockets = await Promise.all(Array.from({ length: READERS }, ask));

    let highest = 0;
    let written = -1;
    let sinceMs = 0;
    await until(
      () => {
        highest = Math.max(highest, parley.residentBytes());
        if (stream.written() !== written) sinceMs = performance.now();
        written = stream.written();
        return performance.now() - sinceMs > QUIET_MS;
      },
      { label: "the upstream waits", timeoutMs: WAIT_MS },
    );
    const live = (await parley.liveBytes()) - liveBefore;
    const othersMs = await askOthers();
    highest = Math.max(highest, parley.residentBytes());
    const rise = highest - before;
    process.stdout.write(
      `slow readers: ${READERS}, RSS +${(rise / MEGABYTE).toFixed(1)} MB of ${(before / MEGABYTE).toFixed(0)}, ` +
        `in use +${(live / MEGABYTE).toFixed(1)} MB, ` +
        `taken from the upstream ${(written / MEGABYTE / READERS).toFixed(1)} MB each of ` +
        `${OFFERED_BYTES / MEGABYTE / READERS}, 20 other calls in ${othersMs.toFixed(0)} ms, alone ${aloneMs.toFixed(0)} ms\n`,
    );
    expect(rise).toBeLessThan(READERS * PER_READER_BYTES);
    expect(live).toBeLessThan(READERS * PER_READER_BYTES);
    expect(written).toBeLessThan(READERS * KERNEL_BYTES);
    expect(upstream.open()).toBe(READERS);
    expect(othersMs).toBeLessThan(MAX_SLOWDOWN * aloneMs);

    // one of them reads on and gets all of it, in order to the end
    const [reader, ...rest] = sockets;
    if (reader === undefined) throw new Error("nobody reads");
    expect(await readOn(reader)).toBeGreaterThan(OFFERED_BYTES / READERS / 2);

    for (const socket of rest) socket.destroy();
    await upstream.waitFor(() => upstream.open() === 0, {
      label: "all closed",
      timeoutMs: WAIT_MS,
    });
    await until(async () => (await parley.metric("parley_open_calls")) === 0, {
      label: "no open calls",
      timeoutMs: WAIT_MS,
    });
  },
  TEST_MS,
);
