import { describe, expect, test } from "vitest";
import { type ErrorCode, ProxyError } from "../../src/core/errors.ts";
import { createRedact } from "../../src/core/redact.ts";
import { createRefusalOf, fromTransportFailure } from "../../src/upstream/errors.ts";
import { failureIn, statusOfFailure } from "../../src/upstream/reading/failure.ts";

const key = "my/odd+key (1)";
const nowMs = Date.parse("Sat, 21 Nov 2026 10:00:00 GMT");
const refusalOf = createRefusalOf(createRedact([]), { wallMs: () => nowMs });

interface Answered {
  readonly message?: unknown;
  readonly code?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function answered(status: number, answer: Answered = {}) {
  const { message = "canary", code = null, type = "t", headers = {} } = answer;
  const body = { error: { message, type, param: null, code } };
  return refusalOf({ status, headers, body }, { key });
}

describe("each status has its code", () => {
  test.each<[number, ErrorCode]>([
    [301, "upstream_failed"],
    [307, "upstream_failed"],
    [400, "upstream_refused"],
    [401, "key_rejected"],
    [402, "key_exhausted"],
    [403, "upstream_refused"],
    [404, "upstream_refused"],
    [405, "upstream_refused"],
    [407, "upstream_failed"],
    [408, "upstream_timeout"],
    [409, "upstream_refused"],
    [413, "upstream_refused"],
    [415, "upstream_refused"],
    [418, "upstream_refused"],
    [422, "upstream_refused"],
    [424, "upstream_refused"],
    [429, "upstream_rate_limited"],
    [451, "upstream_refused"],
    [499, "upstream_failed"],
    [500, "upstream_failed"],
    [502, "upstream_failed"],
    [503, "upstream_failed"],
    [504, "upstream_failed"],
    [529, "upstream_failed"],
    [599, "upstream_failed"],
  ])("%i is %s", (status, code) => {
    const error = answered(status);
    const isTold = code === "upstream_refused" || code === "key_exhausted";
    const reason = isTold ? { reason: "canary" } : {};
    expect(error).toMatchObject({ code, params: reason, details: { upstream_status: status } });
    expect(Object.keys(error.params)).toEqual(Object.keys(reason));
    expect(error.refusal?.status).toBe(isTold ? status : undefined);
    expect(error.answered).toEqual({ status, code: "t" });
    expect(error.cause).toBe(`upstream answered ${status}`);
  });

  test.each<[string, Answered]>([
    ["code", { code: "insufficient_quota" }],
    ["code", { code: "billing_not_active" }],
    ["code", { code: "billing_hard_limit_reached" }],
    ["type", { type: "insufficient_quota" }],
    ["type", { type: "exceeded_current_quota_error", code: "rate_limit_exceeded" }],
    ["code in capitals", { code: "INSUFFICIENT_QUOTA" }],
    ["code as a class", { code: "InsufficientBalance" }],
    ["code with dashes", { code: "billing-not-active" }],
    ["code of a relay", { code: "insufficient_user_quota" }],
    ["code for arrears", { code: "Arrearage" }],
  ])("a 429 for want of money is no limit that passes, by its %s: %j", (_, answer) => {
    const error = answered(429, answer);
    expect(error.code).toBe("key_exhausted");
    expect(JSON.parse(error.refusal?.body ?? "")).toEqual({
      error: {
        message: "canary",
        type: "insufficient_quota",
        param: null,
        code: "insufficient_quota",
      },
    });
    expect(answered(400, answer).code).toBe("upstream_refused");
  });
});

describe("a 402 or 429 about the size of one request", () => {
  test.each([
    "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 45000. The input or output tokens must be reduced",
    "Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your message size and try again.",
    "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 4000.",
    "Prompt tokens limit exceeded: 5000 > 2000.",
    "This model's maximum context length is 4096 tokens.",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "Please reduce the length of the messages.",
    "PLEASE REDUCE YOUR PROMPT",
    "max_tokens is too large: 65536. This model supports at most 4096 completion tokens.",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Requested 45000 tokens exceeds your limit of 30000 tokens per request",
    "Please shorten your prompt or use a smaller max_tokens",
    "Try a shorter input.",
  ])("is refused, and the key is not to blame: %s", (message) => {
    for (const status of [402, 429]) {
      const error = answered(status, { message, headers: { "retry-after": "7" } });
      expect(error).toMatchObject({ code: "upstream_refused", params: { reason: message } });
      expect(error.retryAfterMs).toBeUndefined();
      expect(error.refusal).toMatchObject({ status, mayRetry: status !== 429 });
    }
  });

  test.each([
    "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 5000. Please try again in 8s.",
    "Rate limit exceeded",
    "Too many tokens, please wait before trying again.",
    "You exceeded your current quota, please check your plan and billing details.",
    "Insufficient Balance",
    "Number of request tokens has exceeded your per-minute rate limit; reduce your rate",
    "This request would exceed the rate limit for your organization of 40,000 input tokens per minute. Please reduce the prompt length or the maximum tokens requested, or try again later.",
    "You have exceeded the maximum number of requests per minute",
  ])("is something else than a limit: %s", (message) => {
    expect(answered(429, { message }).code).toBe("upstream_rate_limited");
    expect(answered(402, { message }).code).toBe("key_exhausted");
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

  test("are cut in OpenAI's form, too, if they came as something else", () => {
    const { refusal } = refusalOf({ status: 400, body: "ab ".repeat(10_000) }, { key });
    expect(JSON.parse(refusal?.body ?? "").error.message).toHaveLength(10_000);
  });

  test("are replaced by the status where there are none", () => {
    for (const body of ["", "<html>canary</html>", {}, { error: null }, [], 5, "\u0000\u0001"]) {
      const error = refusalOf({ status: 413, body }, { key });
      expect(error.params).toEqual({ reason: "413" });
      expect(error.refusal).toEqual({ status: 413, body: null, mayRetry: true });
    }
  });

  test("come as deep as anybody writes them, and no stack overflows", () => {
    const body = `${'{"error":'.repeat(7_000)}"canary"${"}".repeat(7_000)}`;
    expect(refusalOf({ status: 400, body }, { key }).refusal?.body?.length).toBeLessThan(1_000);
  });
});

describe("what the log is told", () => {
  test.each([
    [{ error: { message: "m", code: "model_not_found", type: "t" } }, "model_not_found"],
    [{ error: { message: "m", code: 400, type: "BadRequestError" } }, "BadRequestError"],
    [[{ error: { code: 400, message: "m", status: "INVALID_ARGUMENT" } }], "INVALID_ARGUMENT"],
    [{ object: "error", message: "m", type: "BadRequestError", code: 400 }, "BadRequestError"],
    [{ error: { code: "my question was: why?", type: "t" } }, "t"],
    [{ error: { code: "x".repeat(65) } }, null],
    [{ error: { code: "sk-abcdef0123456789" } }, null],
    [{ error: "words" }, null],
    ["words", null],
  ])("of %j is its code", (body, code) => {
    expect(refusalOf({ status: 400, body }, { key }).answered).toEqual({ status: 400, code });
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

describe("an error of Anthropic's", () => {
  const body = (type: string, message = "canary") => ({
    type: "error",
    error: { type, message },
    request_id: "req_011",
  });

  test.each<[string, ErrorCode]>([
    ["invalid_request_error", "upstream_refused"],
    ["authentication_error", "key_rejected"],
    ["billing_error", "key_exhausted"],
    ["permission_error", "upstream_refused"],
    ["not_found_error", "upstream_refused"],
    ["request_too_large", "upstream_refused"],
    ["rate_limit_error", "upstream_rate_limited"],
    ["timeout_error", "upstream_failed"],
    ["api_error", "upstream_failed"],
    ["overloaded_error", "upstream_failed"],
  ])("is read by its type %s where a stream has it, as %s", (type, code) => {
    const failure = failureIn(body(type), true, () => JSON.stringify(body(type)));
    if (failure === null) throw new Error("no failure");
    const status = statusOfFailure(failure.error);
    const error = refusalOf({ status, body: failure.text }, { key });
    expect(error).toMatchObject({ code, answered: { code: type } });
  });

  test("has the form that OpenAI's clients know", () => {
    const { refusal } = refusalOf({ status: 404, body: body("not_found_error") }, { key });
    expect(JSON.parse(refusal?.body ?? "")).toEqual({
      error: { type: "not_found_error", message: "canary", param: null, code: null },
    });
  });

  test.each([
    "prompt is too long: 210000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
  ])("that says %s has OpenAI's code for it", (words) => {
    const { refusal } = refusalOf(
      { status: 400, body: body("invalid_request_error", words) },
      { key },
    );
    expect(JSON.parse(refusal?.body ?? "")).toEqual({
      error: {
        type: "invalid_request_error",
        message: words,
        param: null,
        code: "context_length_exceeded",
      },
    });
  });

  test("about an empty account has the status of a mistake", () => {
    const words = "Your credit balance is too low to access the Anthropic API.";
    const error = refusalOf({ status: 400, body: body("invalid_request_error", words) }, { key });
    expect(error).toMatchObject({ code: "key_exhausted", params: { reason: words } });
  });
});
