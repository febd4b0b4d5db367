import { describe, expect, test } from "vitest";
import { createRedact } from "../../src/core/redact.ts";
import { createRefusalOf } from "../../src/upstream/errors.ts";

/** What is told where the upstream says nothing that is understood. */
const USUAL_WAIT_MS = 10_000;
const USUAL_BILL_MS = 600_000;

const nowMs = Date.parse("Sat, 21 Nov 2026 10:00:00 GMT");
const refusalOf = createRefusalOf(createRedact([]), { wallMs: () => nowMs });
const waitOf = (status: number, headers: Record<string, string>, body: unknown = "words") =>
  refusalOf({ status, headers, body }, { key: "key" }).retryAfterMs;

const date = "Sat, 21 Nov 2026 09:00:00 GMT";
const epoch = nowMs / 1_000;

describe("a wait in a header", () => {
  test.each<[string, Record<string, string>, number | undefined]>([
    ["seconds", { "retry-after": "7" }, 7_000],
    ["broken seconds", { "retry-after": "1.5" }, 1_500],
    ["at once", { "retry-after": "0" }, 0],
    ["milliseconds", { "retry-after-ms": "250" }, 250],
    ["both, of which milliseconds are exact", { "retry-after": "1", "retry-after-ms": "250" }, 250],
    ["a day", { "retry-after": "86400" }, 86_400_000],
    ["a date", { "retry-after": "Sat, 21 Nov 2026 09:00:30 GMT", date }, 30_000],
    ["a date by our own clock", { "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT" }, 30_000],
    ["a date in another form", { "retry-after": "2026-11-21T10:00:30Z" }, 30_000],
    [
      "a date with a wrong clock",
      { "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", date: "?" },
      30_000,
    ],
    ["a date that is over", { "retry-after": "Sat, 21 Nov 2026 08:59:59 GMT", date }, undefined],
    ["a time since 1970", { "retry-after": String(epoch + 20) }, 20_000],
    ["a duration", { "retry-after": "1m30s" }, 90_000],
    ["more than a day", { "retry-after": "86401" }, undefined],
    ["less than nothing", { "retry-after": "-5", date }, undefined],
    ["words", { "retry-after": "soon" }, undefined],
    ["nothing at all", { "retry-after": "", "retry-after-ms": "" }, undefined],
    ["no number of milliseconds", { "retry-after-ms": "NaN", "retry-after": "2" }, 2_000],
    ["endless milliseconds", { "retry-after-ms": "Infinity", "retry-after": "2" }, 2_000],
    ["negative milliseconds", { "retry-after-ms": "-1", "retry-after": "2" }, 2_000],
    ["no header", {}, undefined],
  ])("as %s is understood", (_, headers, wait) => {
    expect(waitOf(503, headers)).toBe(wait);
    expect(waitOf(429, headers)).toBe(wait ?? USUAL_WAIT_MS);
    const broke = { error: { message: "m", code: "insufficient_quota" } };
    expect(waitOf(429, headers, broke)).toBe(wait ?? USUAL_BILL_MS);
    for (const status of [400, 401, 403, 500]) expect(waitOf(status, headers)).toBeUndefined();
  });
});

describe("the reset of a limit", () => {
  test.each<[string, Record<string, string>, number]>([
    ["a reset of requests", { "x-ratelimit-reset-requests": "45s" }, 45_000],
    ["a reset of tokens", { "x-ratelimit-reset-tokens": "6m0s" }, 360_000],
    ["milliseconds of a reset", { "x-ratelimit-reset-tokens": "12ms" }, 12],
    ["hours", { "x-ratelimit-reset-requests": "1h2m3.5s" }, 3_723_500],
    ["a reset in seconds", { "x-ratelimit-reset-requests": "3.5" }, 3_500],
    ["a reset since 1970", { "x-ratelimit-reset": String(epoch + 5) }, 5_000],
    ["a reset in milliseconds since 1970", { "x-ratelimit-reset": String(nowMs + 5_000) }, 5_000],
    ["a reset as a date", { "anthropic-ratelimit-tokens-reset": "2026-11-21T10:01:00Z" }, 60_000],
    ["a reset of the future standard", { "ratelimit-reset": "30" }, 30_000],
    [
      "a reset of input tokens",
      { "anthropic-ratelimit-input-tokens-reset": "2026-11-21T10:00:09Z" },
      9_000,
    ],
    ["a reset of a day", { "x-ratelimit-reset-requests-day": "45" }, 45_000],
    ["a reset of a minute", { "x-ratelimit-reset-tokens-minute": "9.5" }, 9_500],
    ["a reset of another service", { "ratelimitbysize-reset": "12" }, 12_000],
    ["the time that remains", { "x-ratelimit-timeremaining": "41" }, 41_000],
    ["a reset in one header", { ratelimit: "limit=10, remaining=0, reset=30" }, 30_000],
    ["a reset in the newest form", { ratelimit: '"default";r=0;t=30' }, 30_000],
    ["a duration of ISO 8601", { "x-ratelimit-reset": "PT1M30S" }, 90_000],
    ["a duration with blanks", { "x-ratelimit-reset": "1m 30s" }, 90_000],
    [
      "the longer reset",
      { "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "9s" },
      9_000,
    ],
    [
      "the reset of what is used up",
      {
        "x-ratelimit-reset-requests": "8h0m0s",
        "x-ratelimit-remaining-requests": "41",
        "x-ratelimit-reset-tokens": "9s",
        "x-ratelimit-remaining-tokens": "0",
      },
      9_000,
    ],
    [
      "Retry-After before a reset",
      { "retry-after": "3", "x-ratelimit-reset-requests": "45s" },
      3_000,
    ],
    ["a reset that is no time", { "x-ratelimit-reset-requests": "4x" }, USUAL_WAIT_MS],
    ["a unit without a number", { "x-ratelimit-reset-requests": "s" }, USUAL_WAIT_MS],
    [
      "a reset of what is left",
      { "x-ratelimit-reset-requests": "6ms", "x-ratelimit-remaining-requests": "41" },
      USUAL_WAIT_MS,
    ],
  ])("as %s is understood", (_, headers, wait) => {
    expect(waitOf(429, headers)).toBe(wait);
    expect(waitOf(503, headers)).toBe(headers["retry-after"] === undefined ? undefined : wait);
  });
});

describe("a wait in the body", () => {
  test.each<[unknown, number]>([
    [{ error: { message: "Please try again in 20s. Visit us." } }, 20_000],
    [{ error: { message: "Please try again in 6m0s." } }, 360_000],
    [{ error: { message: "Please try again in 86ms." } }, 86],
    [{ error: { message: "Please retry after 20 seconds." } }, 20_000],
    [{ error: { message: "Please retry in 34.07s." } }, 34_070],
    [{ error: { message: "Wait 2 minutes" } }, 120_000],
    [{ error: { message: "m", details: [{ "@type": "x" }, { retryDelay: "34s" }] } }, 34_000],
    [[{ error: { message: "m", details: [{ retryDelay: "34s" }] } }], 34_000],
    [{ message: "m", retry_after: 3 }, 3_000],
    [{ message: "m", retryAfter: "3s" }, 3_000],
    [{ message: "m", retry_after_seconds: 3 }, 3_000],
    [{ error: { message: "m", retry_after_ms: 1_500 } }, 1_500],
    [{ error: { message: "m", metadata: { retry_after_seconds: 4 } } }, 4_000],
    [
      {
        error: {
          message: "m",
          metadata: {
            headers: { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": String(nowMs + 7_000) },
          },
        },
      },
      7_000,
    ],
    [{ error: { message: "Please try again in 1 minute and 30 seconds." } }, 90_000],
    [{ error: { message: "Please try again in 1h 2m 3s" } }, 3_723_000],
    [{ error: { message: "Try again in about 20 seconds" } }, 20_000],
    [{ error: { message: "Please wait 12.5 seconds before retrying" } }, 12_500],
    [{ error: { message: "Please retry your request after 20s" } }, 20_000],
    [{ error: { message: "Rate limit resets in 15 seconds" } }, 15_000],
    [{ error: { message: "Available again in 15s" } }, 15_000],
    [{ error: { message: "Retry-After: 8" } }, 8_000],
    [{ detail: "Request was throttled. Expected available in 17 seconds." }, 17_000],
    [{ error: { message: "Wait 20" } }, 20_000],
    [{ error: { message: "Please try again with 20 images" } }, USUAL_WAIT_MS],
    [{ error: { message: "We retry 3 times" } }, USUAL_WAIT_MS],
    [{ error: { message: "Try again in a while" } }, USUAL_WAIT_MS],
    [{ error: { message: "Try again in 999999 seconds" } }, USUAL_WAIT_MS],
  ])("%j is understood", (body, wait) => {
    expect(waitOf(429, {}, body)).toBe(wait);
    expect(waitOf(429, { "retry-after": "1" }, body)).toBe(1_000);
  });
});
