import { APIError } from "openai";
import { describe, expect, test } from "vitest";
import { type ErrorCode, ProxyError } from "../../src/core/errors.ts";
import { fromApiError, fromTransportFailure } from "../../src/upstream/errors.ts";

const key = "my/odd+key (1)";

interface Answered {
  readonly message?: unknown;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As the openai package makes it of an answer outside 2xx. */
function answered(status: number, { message = "canary", code, headers = {} }: Answered = {}) {
  const body = { error: { message, type: "t", param: null, code: code ?? null } };
  return fromApiError(APIError.generate(status, body, undefined, new Headers(headers)), key);
}

describe("each status has its code", () => {
  test.each<[number, ErrorCode]>([
    [301, "upstream_failed"],
    [307, "upstream_failed"],
    [400, "upstream_refused"],
    [401, "key_rejected"],
    [402, "key_exhausted"],
    [403, "key_rejected"],
    [404, "upstream_refused"],
    [405, "upstream_failed"],
    [408, "upstream_timeout"],
    [409, "upstream_failed"],
    [413, "upstream_refused"],
    [418, "upstream_failed"],
    [422, "upstream_refused"],
    [429, "upstream_rate_limited"],
    [500, "upstream_failed"],
    [502, "upstream_failed"],
    [503, "upstream_failed"],
    [504, "upstream_failed"],
    [529, "upstream_failed"],
    [599, "upstream_failed"],
  ])("%i is %s", (status, code) => {
    const error = answered(status);
    const reason = code === "upstream_refused" ? { reason: "canary" } : {};
    expect(error).toMatchObject({ code, params: reason, details: { upstream_status: status } });
    expect(Object.keys(error.params)).toEqual(Object.keys(reason));
    expect(error.cause).toBe(`upstream answered ${status}`);
  });

  test("429 for want of money is no limit that passes", () => {
    expect(answered(429, { code: "insufficient_quota" }).code).toBe("key_exhausted");
    expect(answered(400, { code: "insufficient_quota" }).code).toBe("upstream_refused");
  });
});

describe("when to come back", () => {
  // what is told where the upstream says nothing that is understood
  const usualWaitMs = 10_000;
  const usualBillMs = 600_000;
  const date = "Sat, 21 Nov 2026 10:00:00 GMT";
  test.each<[string, Record<string, string>, number | undefined]>([
    ["seconds", { "retry-after": "7" }, 7_000],
    ["broken seconds", { "retry-after": "1.5" }, 1_500],
    ["at once", { "retry-after": "0" }, 0],
    ["milliseconds", { "retry-after-ms": "250" }, 250],
    ["both, of which milliseconds are exact", { "retry-after": "1", "retry-after-ms": "250" }, 250],
    ["a day", { "retry-after": "86400" }, 86_400_000],
    ["a date", { "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", date }, 30_000],
    ["a date that is over", { "retry-after": "Sat, 21 Nov 2026 09:59:59 GMT", date }, undefined],
    [
      "a date from a server without a clock",
      { "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT" },
      undefined,
    ],
    ["more than a day", { "retry-after": "86401" }, undefined],
    ["less than nothing", { "retry-after": "-5", date }, undefined],
    ["words", { "retry-after": "soon" }, undefined],
    ["nothing at all", { "retry-after": "", "retry-after-ms": "" }, undefined],
    ["no number of milliseconds", { "retry-after-ms": "NaN", "retry-after": "2" }, 2_000],
    ["endless milliseconds", { "retry-after-ms": "Infinity", "retry-after": "2" }, 2_000],
    ["negative milliseconds", { "retry-after-ms": "-1", "retry-after": "2" }, 2_000],
    ["no header", {}, undefined],
  ])("as %s is understood", (_, headers, retryAfterMs) => {
    expect(answered(503, { headers }).retryAfterMs).toBe(retryAfterMs);
    const limited = answered(429, { headers });
    expect(limited.retryAfterMs).toBe(retryAfterMs ?? usualWaitMs);
    const broke = answered(429, { headers, code: "insufficient_quota" });
    expect(broke.retryAfterMs).toBe(retryAfterMs ?? usualBillMs);
    for (const status of [400, 401, 500]) {
      expect(answered(status, { headers }).retryAfterMs).toBeUndefined();
    }
  });
});

describe("the upstream's own words", () => {
  const reasonOf = (message: unknown) => answered(400, { message }).params.reason;

  test("are passed on where the request is to blame", () => {
    expect(reasonOf("'messages' is too short")).toBe("'messages' is too short");
  });

  test("lose what looks like a credential", () => {
    expect(reasonOf("sk-abcd1234 of org-abcdefgh12 may not")).toBe(
      "[removed] of [removed] may not",
    );
  });

  test("lose the key of the call, whatever it looks like", () => {
    expect(reasonOf(`no such key: ${key}, ${key}.`)).toBe("no such key: [removed], [removed].");
    expect(answered(400, { message: "fine" }).params.reason).toBe("fine");
  });

  test("are cut after 500 characters", () => {
    expect(reasonOf("ab ".repeat(1_000))).toHaveLength(500);
  });

  test("leave nothing of a key that lies across the cut", () => {
    for (let before = 480; before <= 500; before += 1) {
      const reason = String(reasonOf(`${"-".repeat(before)} sk-SECRETSECRETSECRETSECRET`));
      expect(reason).not.toMatch(/sk-S/);
    }
  });

  test.each([[undefined], [null], [5], [{ canary: true }], [["canary"]]])(
    "are replaced by the status where they are no text: %j",
    (message) => {
      const body = message === undefined ? {} : { error: { message } };
      const error = APIError.generate(404, body, undefined, new Headers());
      expect(fromApiError(error, key).params).toEqual({ reason: "404" });
    },
  );

  test("are replaced by the status where the answer is a page", () => {
    const error = APIError.generate(400, undefined, "<html>canary</html>", new Headers());
    expect(fromApiError(error, key).params).toEqual({ reason: "400" });
  });
});

test("a connection that fails is unreachable before the response and broken after it", () => {
  const cause = new Error("connect ECONNREFUSED 127.0.0.1:9");
  expect(fromTransportFailure(cause, false)).toMatchObject({
    code: "upstream_unreachable",
    cause,
  });
  expect(fromTransportFailure(cause, true)).toMatchObject({ code: "upstream_failed", cause });
  const canceled = new ProxyError("canceled");
  expect(fromTransportFailure(canceled, true)).toBe(canceled);
});
