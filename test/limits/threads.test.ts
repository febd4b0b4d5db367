import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { createBudget } from "../../src/limits/budget.ts";
import { createMemoryLimiter } from "../../src/limits/memory.ts";
import { createOpenAnswers } from "../../src/limits/open-answers.ts";
import { createSharedCells, type SharedMemory } from "../../src/workers/shared-cells.ts";

vi.setConfig({ testTimeout: 60_000 });

const THREADS = 4;
const NO_LIMITS = { second: 0, minute: 0, hour: 0, day: 0 };

interface Told {
  readonly admitted: Readonly<Record<string, number>>;
  readonly opened: number;
  readonly mostInside: number;
  readonly wrong: number;
}

interface Hammering {
  readonly limits: Partial<typeof NO_LIMITS>;
  readonly buckets: number;
  readonly takes: number;
  readonly maxBuckets?: number;
  readonly maxOlderBytes?: number;
}

async function hammer({ limits, buckets, takes, ...bounds }: Hammering) {
  const memory: SharedMemory = new Map();
  const cells = createSharedCells(memory);
  const options = { limits: { ...NO_LIMITS, ...limits }, ...bounds };
  const clock = { monotonicMs: () => 0 };
  // as worker 0 does before it starts the others
  const limiter = createMemoryLimiter({ ...options, cells, clock });
  const answers = createOpenAnswers(3, cells);
  const budget = createBudget(100, cells, "budget");
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { memory, gate, threads: THREADS, options, buckets, takes };
  const script = new URL("fixtures/hammering.ts", import.meta.url);
  const told = await Promise.all(
    Array.from({ length: THREADS }, async () => {
      const [message] = await once(new Worker(script, { workerData }), "message");
      return message as Told; // what the script sends
    }),
  );
  const names = Array.from({ length: buckets }, (_, index) => `bucket-${index}`);
  const admitted = names.map((name) =>
    told.reduce((sum, one) => sum + (one.admitted[name] ?? 0), 0),
  );
  return { told, admitted, limiter, answers, budget };
}

test("threads that hammer one bucket are given its limit, no call more and none less", async () => {
  const { admitted, limiter } = await hammer({ limits: { day: 5_000 }, buckets: 1, takes: 20_000 });
  expect(admitted).toEqual([5_000]);
  expect(limiter.peek("bucket-0").admitted).toBe(false);
});

test("threads that hammer many buckets are given the limit of each", async () => {
  const limits = { hour: 50, day: 60 };
  const { admitted } = await hammer({ limits, buckets: 300, takes: 60_000 });
  expect(admitted).toEqual(Array(300).fill(50));
});

test("places and budgets hold for all threads together and come back whole", async () => {
  const { told, answers, budget } = await hammer({ limits: {}, buckets: 1, takes: 50_000 });
  expect(Math.max(...told.map(({ mostInside }) => mostInside))).toBeLessThanOrEqual(3);
  expect(told.map(({ wrong }) => wrong)).toEqual(Array(THREADS).fill(0));
  expect(told.every(({ opened }) => opened > 0)).toBe(true);
  expect(answers.count("one")).toBe(0);
  expect(budget.take(100)).toBe(true);
});

test("where buckets and logs are forgotten under the threads, every number stays whole", async () => {
  const hammering = { limits: { second: 9, day: 2_000 }, buckets: 500, takes: 60_000 };
  const { limiter } = await hammer({ ...hammering, maxBuckets: 60, maxOlderBytes: 20_000 });
  for (let index = 0; index < 1_000; index += 1) {
    const { windows } = limiter.peek(`bucket-${index}`);
    for (const { limit, remaining } of windows) {
      expect(remaining).toBeGreaterThanOrEqual(0);
      expect(remaining).toBeLessThanOrEqual(limit);
    }
  }
});
