import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { type ErrorCode, errorCodes, ProxyError } from "../../../src/core/errors.ts";
import { envelopeStatus } from "../../../src/dialects/envelope/errors.ts";
import { createEnvelopeErrors } from "../../../src/dialects/envelope/routes.ts";
import type { AppEnv, NodeHttp, RequestContext } from "../../../src/http/call/request-context.ts";
import { createTranslate, type Language, languages } from "../../../src/locales.ts";
import { type Failure, failure } from "../../support/envelope.ts";

const translate = createTranslate();
const write = createEnvelopeErrors(translate);

/** What each code is thrown with. A placeholder without its value would stay visible. */
const params: Partial<Record<ErrorCode, Record<string, string | number>>> = {
  body_too_deep: { max: 64 },
  body_too_large: { max: 1_000 },
  content_type_unsupported: { expected: "application/json" },
  field_missing: { field: "user_content" },
  field_empty: { field: "user_content" },
  body_not_json: { line: 2, column: 5 },
  key_missing: { field: "api_key" },
  field_type: { field: "max_tokens", expected: "whole_number" },
  field_range: { field: "max_tokens", min: 1, max: 3_500 },
  field_choice: { field: "model", choices: "gpt-4o" },
  field_too_many: { field: "continuous", max: 4_096 },
  method_not_allowed: { methods: "POST" },
  key_malformed: { field: "api_key" },
  rate_limited: { limit: 3, window: "minute", wait_seconds: 7 },
  streams_limited: { limit: 2 },
  message_too_large: { max: 4_194_304 },
  conversations_limited: { max: 1_000 },
  upstream_refused: { reason: "(their words)" },
  key_exhausted: { reason: "(their words)" },
  field_too_long: { field: "name", max: 100 },
  field_unknown: { field: "name" },
  field_repeated: { field: "name" },
  field_needs: { field: "parent_id", other: "conversation_id" },
  field_in_use: { field: "id" },
  field_unknown_upstream: { field: "to", name: "azure" },
  field_unsupported: { field: "tools[0]" },
  frame_malformed: { expected: "<|ask|>$new$new$..." },
  connections_limited: { limit: 16 },
  attempts_limited: { wait_seconds: 60 },
  tokens_limited: { limit: 1000, wait_seconds: 12 },
  call_too_large: { limit: 1000, tokens: 4096 },
  calls_limited: { limit: 2 },
  model_forbidden: { model: "gpt-4o" },
  model_not_found: { model: "gpt-4o" },
  model_not_priced: { model: "gpt-4o" },
  quota_exceeded: { quota: "requests", period: "day", state: "used_up" },
  group_quota_exceeded: { group: "class", quota: "money", period: "month", state: "used_up" },
  group_name_taken: { field: "name", value: "class" },
  group_in_use: { group: "class", tokens: 3 },
  token_name_taken: { field: "name", value: "Ann", id: "1jf2k5n8q0f3a1b2c4d5e6f7a8" },
  price_outdated: { model: "gpt-4o", since: 1 },
  model_not_available: { model: "gpt-4o" },
  upstream_name_taken: { field: "name", name: "azure" },
  upstream_in_use: { name: "azure", model: "gpt-4o" },
  upstream_unreadable: { name: "azure" },
  routing_full: { max: 100 },
};

/** By contract, apart from the code's own table. */
const statuses: Record<ErrorCode, number> = {
  body_not_json: 400,
  body_not_utf8: 400,
  body_not_object: 400,
  body_too_deep: 400,
  body_too_large: 413,
  body_incomplete: 400,
  content_type_unsupported: 415,
  content_encoding_unsupported: 415,
  field_missing: 400,
  field_empty: 400,
  field_type: 400,
  field_range: 400,
  field_choice: 400,
  field_too_many: 400,
  bad_request: 400,
  route_forbidden: 403,
  address_forbidden: 403,
  not_found: 404,
  endpoint_unavailable: 404,
  endpoint_not_available: 400,
  method_not_allowed: 405,
  key_missing: 400,
  key_malformed: 400,
  key_rejected: 401,
  key_of_other_service: 401,
  key_exhausted: 429,
  rate_limited: 429,
  attempts_limited: 429,
  streams_limited: 429,
  tokens_limited: 429,
  call_too_large: 429,
  calls_limited: 429,
  conversation_not_found: 404,
  message_not_found: 404,
  message_too_large: 413,
  conversation_conflict: 409,
  conversation_full: 422,
  conversations_limited: 429,
  upstream_refused: 400,
  upstream_rate_limited: 429,
  upstream_key_rejected: 502,
  upstream_exhausted: 503,
  upstream_failed: 502,
  upstream_unreachable: 502,
  upstream_bad_answer: 502,
  upstream_timeout: 504,
  upstream_busy: 429,
  upstream_unavailable: 503,
  deadline_passed: 504,
  field_too_long: 400,
  field_unknown: 400,
  field_repeated: 400,
  field_needs: 400,
  field_in_use: 400,
  field_unknown_upstream: 400,
  field_unsupported: 400,
  frame_malformed: 400,
  upgrade_needed: 426,
  websocket_refused: 426,
  origin_forbidden: 403,
  access_token_rejected: 403,
  admin_needed: 403,
  admin_token_needed: 401,
  admin_setup_needed: 401,
  admin_origin_forbidden: 403,
  setup_code_rejected: 403,
  connections_limited: 429,
  credential_missing: 401,
  token_rejected: 401,
  token_disabled: 401,
  token_needed: 401,
  model_forbidden: 403,
  model_not_found: 404,
  model_not_available: 400,
  stored_not_found: 404,
  own_key_needed: 403,
  model_not_priced: 400,
  quota_exceeded: 429,
  group_quota_exceeded: 429,
  token_unknown: 404,
  token_revoked: 409,
  token_name_taken: 409,
  group_unknown: 404,
  group_name_taken: 409,
  group_in_use: 409,
  price_outdated: 409,
  upstream_unknown: 404,
  upstream_name_taken: 409,
  upstream_in_use: 409,
  upstream_fixed: 409,
  upstream_unreadable: 409,
  route_unknown: 404,
  routing_full: 409,
  secret_key_missing: 409,
  idempotency_mismatch: 422,
  idempotency_in_progress: 409,
  idempotency_lost: 409,
  storage_unavailable: 503,
  limits_unavailable: 503,
  overloaded: 503,
  draining: 503,
  internal: 500,
  canceled: 499,
};

const failed: Record<Language, string> = {
  en: "failed",
  zh_CN: "失败",
  zh_TW: "失敗",
  ru_RU: "ошибка",
};

const scripts: Record<Language, RegExp> = {
  en: /^[\x20-\x7e]+$/,
  zh_CN: /\p{Script=Han}/u,
  zh_TW: /\p{Script=Han}/u,
  ru_RU: /\p{Script=Cyrillic}/u,
};

const table = errorCodes.flatMap((code) => languages.map((language) => ({ code, language })));
const rows: string[][] = [];

describe("every error in every language", () => {
  test.each(table)("$code in $language", async ({ code, language }) => {
    const response = await writeIn(language, new ProxyError(code, { params: params[code] ?? {} }));
    const envelope: Failure = failure.parse(await response.json());
    rows.push([String(envelope.code), code, language, envelope.data.response]);
    expect(response.status).toBe(statuses[code]);
    expect(envelope.code).toBe(statuses[code]);
    expect(envelope.msg.toLowerCase()).toBe(failed[language]);
    expect(envelope.data.error).toBe(code);
    expect(envelope.data.response).toMatch(scripts[language]);
    expect(envelope.data.response).not.toMatch(
      /[{}]|undefined|null|NaN|error\.[a-z]|whole_number|%s/,
    );
    for (const [name, value] of Object.entries(params[code] ?? {})) {
      const isWord = ["window", "quota", "period", "state", "wait_seconds"].includes(name);
      const stays = name === "expected" ? value === "application/json" : !isWord;
      if (stays) expect(envelope.data.response).toContain(String(value));
    }
  });

  test("the whole table", () => {
    expect(rows).toHaveLength(errorCodes.length * languages.length);
    expect(new Set(rows.map(([, , , text]) => text)).size).toBe(rows.length);
    expect(Object.keys(envelopeStatus).sort()).toEqual([...errorCodes].sort());
    const line = ([status = "", code = "", language = "", text = ""]: string[]) =>
      `${status}  ${code.padEnd(26)}${language.padEnd(7)}${text}`;
    process.stdout.write(`\n${rows.map(line).join("\n")}\n`);
  });

  test("an unforeseen error shows a request id and nothing of itself", async () => {
    const cause = new Error("sk-secret in a message");
    const response = await writeIn("en", new ProxyError("internal", { cause }));
    const { data } = failure.parse(await response.json());
    expect(data).toEqual({
      response: translate("en", "error.internal", { requestId: "id-1" }),
      error: "internal",
    });
  });
});

/** Through a real context, whose values are given. */
async function writeIn(language: Language, error: ProxyError): Promise<Response> {
  const context = { language, requestId: "id-1", limits: null };
  const app = new Hono<AppEnv>();
  app.get("/", (c) => write(c, error));
  // as much as an error is written from
  const incoming = { method: "POST", headers: {} } as NodeHttp["incoming"];
  return app.request("/", {}, { context: context as RequestContext, incoming });
}
