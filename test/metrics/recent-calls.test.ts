import { expect, test } from "vitest";
import type { CallRecord } from "../../src/core/ports.ts";
import { createRecentCalls } from "../../src/metrics/recent-calls.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 2, 10, 30);

function start() {
  let nowMs = START_MS;
  const recent = createRecentCalls({ wallMs: () => nowMs });
  const call = (fields: Partial<CallRecord> = {}, times = 1) => {
    const record = { outcome: "completed", error: null, firstTokenMs: null, ...fields };
    for (let n = 0; n < times; n += 1) recent.call(record as CallRecord); // all that is read of it
  };
  const forward = (ms: number) => {
    nowMs += ms;
  };
  return { recent, call, forward };
}

test("the last 24 hours are counted by what became of calls, and nothing before them", () => {
  const { recent, call, forward } = start();
  call({}, 3);
  call({ outcome: "failed", error: "upstream_unavailable" });
  recent.decision({ admitted: false });
  recent.decision({ admitted: true });
  const newest = recent.hours().at(-1);
  expect(newest).toEqual({
    at: Date.UTC(2026, 0, 2, 10),
    answered: 3,
    failed: 1,
    refused: 1,
  });
  forward(23 * HOUR_MS);
  expect(recent.hours()[0]).toEqual(newest);
  expect(recent.hours()).toHaveLength(24);
  forward(HOUR_MS);
  expect(recent.hours().every(({ answered }) => answered === 0)).toBe(true);
  call();
  expect(recent.hours().at(-1)?.answered).toBe(1);
});

test("a fifth of ten calls that fail is a failing server, for five minutes", () => {
  const { recent, call, forward } = start();
  call({}, 7);
  call({ outcome: "failed", error: "upstream_unavailable" }, 2);
  expect(recent.isFailing()).toBe(false);
  call();
  expect(recent.isFailing()).toBe(true);
  forward(5 * 60_000);
  expect(recent.isFailing()).toBe(false);
});

test("what clients got wrong does not make a server fail", () => {
  const { recent, call } = start();
  call({ outcome: "failed", error: "key_rejected" }, 50);
  expect(recent.isFailing()).toBe(false);
});

test("the time to the first token is that of the newest answers", () => {
  const { recent, call } = start();
  expect(recent.firstToken()).toBeNull();
  for (let ms = 1; ms <= 100; ms += 1) call({ firstTokenMs: ms });
  expect(recent.firstToken()).toEqual({ median: 50, p95: 95 });
  call({ firstTokenMs: 7 }, 2_000);
  expect(recent.firstToken()).toEqual({ median: 7, p95: 7 });
});
