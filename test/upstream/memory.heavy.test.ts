import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as faults from "../support/faults.ts";
import { deadline } from "../support/http.ts";
import { type Behaviour, type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { type Asking, createAsking, endOfComplete, endOfStream } from "./asking.ts";

// The scripted upstream lives in this process too: what it needs is counted as if it were ours.
const mebibyte = 1024 * 1024;
const mostRiseBytes = 32 * mebibyte;
/** What is read before an answer is given up: the most one may have, and what sockets hold. */
const mostTakenBytes = 16 * mebibyte + 8 * mebibyte;

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

describe("an answer of any size costs a bounded amount of memory", () => {
  const large: readonly (readonly [string, Behaviour])[] = [
    ["a body of 100 MB", faults.hugeBody(100 * mebibyte)],
    ["a line of 200 MB", faults.endlessLine(200 * mebibyte)],
    ["a gzip bomb of 300 MB", faults.gzipBomb(300 * mebibyte)],
    ["a gzip bomb of 300 MB in two layers", faults.gzipBomb(300 * mebibyte, 2)],
    ["a stream of 200 MB", faults.endlessStream(200 * mebibyte)],
    ["a refusal of 100 MB", refuseAtLength(400, 100 * mebibyte)],
    ["a failure of 100 MB", refuseAtLength(500, 100 * mebibyte)],
    ["empty lines of data, 100 MB of them", emptyLines(100 * mebibyte)],
  ];
  test.each(large)("%s", async (label, fault) => {
    for (const ask of [endOfComplete, endOfStream]) {
      await ask(asking); // what a good answer needs is there before it is measured
      const { behaviour, taken } = counting(fault);
      upstream.behave(behaviour);
      const { riseBytes, result } = await peakOf(() => deadline(ask(asking), 8_000, label));
      expect(result.error?.code).toMatch(/^upstream_(bad_answer|failed|refused)$/);
      expect(riseBytes).toBeLessThan(mostRiseBytes);
      if (!label.startsWith("a stream")) expect(taken()).toBeLessThan(mostTakenBytes);
      const closed = { label: "the upstream is let go", timeoutMs: 1_000 };
      await upstream.waitFor(() => upstream.open() === 0, closed);
    }
  });
});

test("a reader that stops holds little: the upstream is told to wait", async () => {
  const endless = faults.endlessStream(200 * mebibyte);
  upstream.behave(endless);
  const events = (await asking.stream())[Symbol.asyncIterator]();
  await events.next();
  await events.next();
  const { riseBytes } = await peakOf(() => standstill(endless.written));
  // with what was written here and not yet collected; an answer that is not held back is 200 MB
  expect(riseBytes).toBeLessThan(mostRiseBytes);
  // most of it is in the kernel, between the two sockets
  expect(endless.written()).toBeLessThan(8 * mebibyte);

  // more than we hold, so it is asked for again
  for (let read = 0; read < 400; read += 1) {
    expect((await events.next()).value).toMatchObject({ type: "text-delta" });
  }
  await events.return?.();
  await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 1_000 });
});

/** How much of it was taken off its hands. */
function counting({ name, run }: Behaviour): { behaviour: Behaviour; taken: () => number } {
  let bytes = 0;
  const behaviour: Behaviour = {
    name,
    run: (exchange) =>
      run({
        ...exchange,
        write: async (part) => {
          await exchange.write(part);
          bytes += Buffer.byteLength(part);
        },
      }),
  };
  return { behaviour, taken: () => bytes };
}

/** The status with a JSON body whose message is that long. */
function refuseAtLength(status: number, bytes: number): Behaviour {
  return {
    name: `refuse ${status} at length`,
    run: async (exchange) => {
      exchange.response.writeHead(status, { "content-type": "application/json" });
      await exchange.write('{"error":{"message":"');
      for (let left = bytes; left > 0; left -= block.length) await exchange.write(block);
      exchange.response.end('"}}');
    },
  };
}

/** One event that never ends, of lines without data. */
function emptyLines(bytes: number): Behaviour {
  const lines = Buffer.from("data:\n".repeat(10_000));
  return {
    name: "empty lines of data",
    run: async (exchange) => {
      exchange.response.writeHead(200, { "content-type": "text/event-stream" });
      for (let left = bytes; left > 0; left -= lines.length) await exchange.write(lines);
      exchange.response.end();
    },
  };
}

const block = Buffer.alloc(64 * 1024, "a");
/** Often enough to see a peak: a block is copied in a fraction of it. */
const sampleMs = 5;

async function peakOf<T>(run: () => Promise<T>): Promise<{ riseBytes: number; result: T }> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, sampleMs);
  try {
    const result = await run();
    sample();
    return { riseBytes: peak - before, result };
  } finally {
    clearInterval(timer);
  }
}

/** Resolves when the count has not changed for 200 ms. */
function standstill(count: () => number): Promise<void> {
  const stands = new Promise<void>((resolve) => {
    let last = count();
    let samples = 0;
    const timer = setInterval(() => {
      samples = count() === last ? samples + 1 : 0;
      last = count();
      if (samples < 40) return;
      clearInterval(timer);
      resolve();
    }, sampleMs);
  });
  return deadline(stands, 4_000, "the upstream waits");
}
