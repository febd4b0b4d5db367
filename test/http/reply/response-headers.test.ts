import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WindowState } from "../../../src/core/ports.ts";
import type { RequestContext } from "../../../src/http/call/request-context.ts";
import { responseHeaders, retryHeaders } from "../../../src/http/reply/response-headers.ts";
import { createMemoryLimiter } from "../../../src/limits/memory-limiter.ts";
import { readRateLimits } from "../../support/rate-limit-headers.ts";

const context: RequestContext = {
  requestId: "id-1",
  language: "zh_TW",
  client: { address: "192.0.2.1", bucket: "192.0.2.1", peer: "192.0.2.1", forwarded: "none" },
  startedMs: 0,
  route: "test",
  limits: null,
  giveBack: () => undefined,
  record: null,
  error: null,
  answered: null,
  upstream: null,
  translated: null,
  crossOrigin: true,
};

describe("responseHeaders", () => {
  test("are plain names in lower case with values a header may hold", () => {
    for (const [name, value] of Object.entries(responseHeaders(context, "text/plain"))) {
      expect(name).toMatch(/^[a-z-]+$/);
      expect(value).toMatch(/^[\x20-\x7e]+$/);
    }
  });

  test("have no RateLimit where nothing is limited", () => {
    const limits = { admitted: true, windows: [], refusedBy: null, retryAfterMs: 0, entry: null };
    for (const each of [null, limits]) {
      const headers = responseHeaders({ ...context, limits: each }, "");
      expect(Object.keys(headers).filter((name) => name.startsWith("ratelimit"))).toEqual([]);
    }
  });

  test("tell whatever the limiter decided, in a form that reads back", () => {
    const limit = fc.constantFrom(0, 1, 2, 7, 1_000_000_000);
    const limits = fc.record({ second: limit, minute: limit, hour: limit, day: limit });
    const pauses = fc.array(fc.nat({ max: 100_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(limits, pauses, (given, pausesMs) => {
        let nowMs = 0;
        const limiter = createMemoryLimiter({
          limits: given,
          clock: { monotonicMs: () => nowMs },
          maxBuckets: 8,
        });
        for (const pauseMs of pausesMs) {
          nowMs += pauseMs;
          const decision = limiter.take("a");
          const headers = responseHeaders({ ...context, limits: decision }, "");
          if (decision.windows.length === 0) continue;
          expect(readRateLimits(headers)).toEqual(decision.windows.map(asRead));
        }
      }),
      { numRuns: 200 },
    );
  });
});

function asRead({ name, limit, windowMs, remaining, resetMs }: WindowState) {
  const resetSeconds = Math.ceil(resetMs / 1_000);
  return { name, quota: limit, windowSeconds: windowMs / 1_000, remaining, resetSeconds };
}

describe("retryHeaders", () => {
  test.each([
    [0, "1", "0", undefined],
    [0.2, "1", "1", undefined],
    [1, "1", "1", undefined],
    [1_000, "1", "1000", undefined],
    [1_001, "2", "1001", undefined],
    [60_000, "60", "60000", undefined],
    [60_001, "61", "60001", "false"],
    [86_400_000, "86400", "86400000", "false"],
  ])("of %d ms are whole and never too early", (ms, seconds, milliseconds, shouldRetry) => {
    const headers = retryHeaders(ms);
    expect(headers["retry-after"]).toBe(seconds);
    expect(headers["retry-after-ms"]).toBe(milliseconds);
    expect(headers["x-should-retry"]).toBe(shouldRetry);
  });
});
