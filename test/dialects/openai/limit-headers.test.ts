import { expect, test } from "vitest";
import type { LimitDecision } from "../../../src/core/ports.ts";
import { addRequestLimits } from "../../../src/dialects/openai/limit-headers.ts";

function requestLimitHeaders(limits: LimitDecision | null) {
  const headers = {};
  addRequestLimits(headers, limits);
  return headers;
}

const window = { windowMs: 1_000, limit: 9, resetMs: 1_500 };
const decision = { admitted: true, refusedBy: null, retryAfterMs: 0, entry: null };

test("without any limit there is nothing to say", () => {
  expect(requestLimitHeaders(null)).toEqual({});
  expect(requestLimitHeaders({ ...decision, windows: [] })).toEqual({});
});

test("the tightest window is the one that is told", () => {
  const windows = [
    { ...window, name: "second", remaining: 5 },
    { ...window, name: "day", remaining: 2 },
  ] as const;
  expect(requestLimitHeaders({ ...decision, windows })).toEqual({
    "x-ratelimit-limit-requests": "9",
    "x-ratelimit-remaining-requests": "2",
    "x-ratelimit-reset-requests": "2s",
  });
});
