import { expect, test } from "vitest";
import { rateLimited } from "../../src/core/common-errors.ts";
import type { WindowState } from "../../src/core/ports.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const minute: WindowState = {
  name: "minute",
  windowMs: 60_000,
  limit: 3,
  remaining: 0,
  resetMs: 42_001,
};

test("a refusal says which window, how many calls and when there is room again", () => {
  const clock = createVirtualClock();
  const refusal = {
    admitted: false,
    windows: [minute],
    refusedBy: minute,
    retryAfterMs: 42_001,
    entry: null,
  };
  expect(rateLimited(refusal, clock)).toMatchObject({
    code: "rate_limited",
    params: { limit: 3, window: "minute", wait_seconds: 43 },
    details: {
      window: "minute",
      limit: 3,
      retry_after_seconds: 43,
      reset_at: new Date(clock.wallMs() + 42_001).toISOString(),
    },
    retryAfterMs: 42_001,
  });
});

test.each([0, 1, 999, 1_000])("a wait of %i ms is told as a whole second", (retryAfterMs) => {
  const refusal = {
    admitted: false,
    windows: [minute],
    refusedBy: minute,
    retryAfterMs,
    entry: null,
  };
  expect(rateLimited(refusal, createVirtualClock()).params.wait_seconds).toBe(1);
});
