import { expect, test } from "vitest";
import type { LimitDecision } from "../../../src/core/ports.ts";
import { openaiHeaders } from "../../../src/dialects/openai/wire.ts";
import type { RequestContext } from "../../../src/http/call/request-context.ts";

function requestLimitHeaders(limits: LimitDecision | null) {
  const context = { language: "en", requestId: "id-1", limits };
  const headers = openaiHeaders(context as RequestContext, ""); // as much as headers are made from
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith("x-ratelimit-")),
  );
}

const window = { windowMs: 1_000, limit: 9, resetMs: 1_500 };
const decision = { admitted: true, refusedBy: null, retryAfterMs: 0, entry: null };

test("without any limit there is nothing to say", () => {
  expect(requestLimitHeaders(null)).toEqual({});
  expect(requestLimitHeaders({ ...decision, windows: [] })).toEqual({});
});

test("clients read the tightest window", () => {
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
