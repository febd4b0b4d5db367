import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { beforeAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { createGrpcClient } from "../support/grpc.ts";
import { framed, openAsk, openSession, requestOf, statusOf } from "../support/grpc-raw.ts";
import { deadline } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";
import {
  answer,
  type Behaviour,
  composeAnswer,
  goodHeaders,
  type ScriptedUpstream,
} from "../support/upstream.ts";

const WAIT_MS = 60_000;
const TEST_MS = 240_000;
const READERS = 50;
const MEGABYTE = 1_048_576;
/** About as long as a streamed answer may be. */
const OFFERED_CHARACTERS = 1_000_000;
const PER_READER_BYTES = 2 * MEGABYTE;
const QUIET_MS = 500;

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
let port: number;
beforeAll(async () => {
  port = await freePort();
  const env = { GRPC_PORT: String(port) };
  ({ upstream, parley } = await startPair(env, { withCollector: true }));
});

/** Deltas of so many characters, up to OFFERED_CHARACTERS. */
function createLongStream(deltaCharacters: number): Behaviour & { written(): number } {
  let written = 0;
  return {
    name: "a long stream",
    written: () => written,
    run: async ({ request, response, write }) => {
      // told in five deltas, of which one is sent again and again
      const text = "x".repeat(5 * deltaCharacters);
      const { events } = composeAnswer(request, { text: () => text });
      const [start = "", delta = ""] = events;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      await write(start);
      for (let left = OFFERED_CHARACTERS; left > 0; left -= deltaCharacters) {
        written += deltaCharacters;
        await write(delta);
      }
      response.end(events.slice(-3).join(""));
    },
  };
}

/** Each on a connection of its own: asks, takes the head of the answer and no more. */
async function ask(): Promise<{ session: ClientHttp2Session; stream: ClientHttp2Stream }> {
  const session = await openSession(port);
  const stream = openAsk(session);
  const begun = new Promise((resolve) => stream.once("response", resolve));
  stream.end(framed(requestOf("slow")));
  await deadline(begun, WAIT_MS, "the answer begins");
  return { session, stream };
}

test(
  `${READERS} readers that stop reading cost two megabytes each, and nobody waits for them`,
  async () => {
    const slow = createLongStream(1_024);
    const large = createLongStream(500_000);
    const prompt = (json: unknown) => JSON.stringify(json);
    let asked = 0;
    upstream.behave(({ json }) => {
      if (!prompt(json).includes("slow")) return answer;
      asked += 1;
      return asked % 2 === 0 ? slow : large; // many small messages, or few that are large
    });
    const client = createGrpcClient(`127.0.0.1:${port}`);
    for (let calls = 0; calls < 50; calls += 1) await client.ask({ prompt: "warm" });
    const liveBefore = await parley.liveBytes();
    const before = parley.residentBytes();
    const readers = await Promise.all(Array.from({ length: READERS }, ask));

    let highest = 0;
    let written = -1;
    let quietMs = 0;
    await until(
      () => {
        highest = Math.max(highest, parley.residentBytes());
        const now = slow.written() + large.written();
        if (now !== written) quietMs = performance.now();
        written = now;
        return performance.now() - quietMs > QUIET_MS;
      },
      { label: "the upstream waits", timeoutMs: WAIT_MS },
    );
    const live = (await parley.liveBytes()) - liveBefore;
    const rise = highest - before;
    process.stdout.write(
      `grpc slow readers: ${READERS}, RSS +${(rise / MEGABYTE).toFixed(1)} MB of ${(before / MEGABYTE).toFixed(0)}, ` +
        `in use +${(live / MEGABYTE).toFixed(1)} MB, taken from the upstream ` +
        `${(written / MEGABYTE / READERS).toFixed(1)} MB each\n`,
    );
    expect(rise).toBeLessThan(READERS * PER_READER_BYTES);
    expect(live).toBeLessThan(READERS * PER_READER_BYTES);
    expect((await client.ask({ prompt: "others" })).text).toBe("echo: others");

    // one of them reads on meanwhile and gets everything
    const [reader, second, ...rest] = readers;
    if (reader === undefined || second === undefined) throw new Error("nobody reads");
    let received = 0;
    reader.stream.on("data", (part: Buffer) => {
      received += part.length;
    });
    expect(await deadline(statusOf(reader.stream), WAIT_MS, "the end")).toBe("grpc 0");
    expect(received).toBeGreaterThan(OFFERED_CHARACTERS);

    // another call on a connection whose first stream is stalled is answered
    const again = openAsk(second.session);
    again.end(framed(requestOf("again")));
    expect(await statusOf(again)).toBe("grpc 0");
    for (const { stream } of [second, ...rest]) stream.close();
    await upstream.waitFor(() => upstream.open() === 0, {
      label: "all closed",
      timeoutMs: WAIT_MS,
    });
    expect(await parley.metric("parley_open_calls")).toBe(0);
    client.close();
    for (const { session } of readers) session.destroy();
  },
  TEST_MS,
);
