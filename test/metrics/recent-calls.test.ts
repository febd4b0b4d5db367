import { expect, test } from "vitest";
import type { CallRecord } from "../../src/core/ports.ts";
import { createRecentCalls } from "../../src/metrics/recent-calls.ts";

const START_MS = Date.UTC(2026, 0, 2, 10, 30);

function start() {
  let nowMs = START_MS;
  const recent = createRecentCalls({ wallMs: () => nowMs });
  const call = (fields: Partial<CallRecord> = {}, times = 1) => {
    const record = { outcome: "completed", error: null, ...fields };
    for (let n = 0; n < times; n += 1) recent.call(record as CallRecord); // all that is read of it
  };
  const forward = (ms: number) => {
    nowMs += ms;
  };
  return { recent, call, forward };
}

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
