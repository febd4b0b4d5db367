import { expect, test } from "vitest";
import { errorCodes, ProxyError, toProxyError } from "../../src/core/errors.ts";

test("every code is there once", () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length);
});

test("an error has its code as its text and nothing that was not given", () => {
  const error = new ProxyError("upstream_failed");
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe("ProxyError");
  expect(error.message).toBe("upstream_failed");
  expect(error).toMatchObject({
    params: {},
    details: {},
    retryAfterMs: undefined,
    cause: undefined,
  });
});

test("what is shown to clients and what is kept for the log stay apart", () => {
  const cause = new Error("connect ECONNREFUSED 10.0.0.1:443");
  const error = new ProxyError("rate_limited", {
    params: { limit: 3 },
    details: { window: "minute" },
    retryAfterMs: 1_500,
    cause,
  });
  expect(error).toMatchObject({ code: "rate_limited", params: { limit: 3 }, retryAfterMs: 1_500 });
  expect(error.cause).toBe(cause);
  const { code, message, params, details } = error;
  expect(JSON.stringify({ code, message, params, details })).not.toContain("ECONNREFUSED");
});

test("our errors stay what they are", () => {
  const error = new ProxyError("canceled");
  expect(toProxyError(error)).toBe(error);
});

test.each([
  ["an error", new TypeError("canary")],
  ["a text", "canary"],
  ["nothing", undefined],
  ["null", null],
  ["an object that looks like one", { code: "rate_limited", message: "canary" }],
])("%s that was thrown is internal, its text only in the cause", (_, thrown) => {
  const error = toProxyError(thrown);
  expect(error).toBeInstanceOf(ProxyError);
  expect(error).toMatchObject({ code: "internal", message: "internal", params: {}, details: {} });
  expect(error.cause).toBe(thrown);
});
