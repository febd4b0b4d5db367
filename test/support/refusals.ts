/** How services refuse, byte for byte, and what a client of OpenAI should be shown of it. */
import type { Behaviour } from "./upstream.ts";

export interface Refusal {
  readonly name: string;
  readonly status: number;
  readonly body: unknown;
  /** What every caller reads; null: the service says nothing to people. */
  readonly words: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with these bytes, or this JSON. */
export const says = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Behaviour => ({
  name: `says ${status}`,
  run: ({ response }) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(
      typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    );
  },
});

const SIZE =
  "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 45000. The input or output tokens must be reduced";
const CREDITS =
  "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 4000.";
const CONTEXT = "This model's maximum context length is 4096 tokens.";
const MODEL = "Project p does not have access to model gpt-9";
const FLAGGED = "Your chosen model requires moderation and your input was flagged";
const REGION = "Country, region, or territory not supported";

/** Each is about one request, whoever pays for it. */
export const refusals: readonly Refusal[] = [
  {
    name: "a model that the project may not use",
    status: 403,
    body: {
      error: {
        message: MODEL,
        type: "invalid_request_error",
        param: null,
        code: "model_not_found",
      },
    },
    words: MODEL,
  },
  {
    name: "moderation",
    status: 403,
    body: { error: { code: 403, message: FLAGGED } },
    words: FLAGGED,
  },
  {
    name: "a region",
    status: 403,
    body: {
      error: {
        code: "unsupported_country_region_territory",
        type: "request_forbidden",
        message: REGION,
      },
    },
    words: REGION,
  },
  { name: "a firewall's page", status: 403, body: "<!DOCTYPE html><p>1010</p>", words: null },
  {
    name: "a price",
    status: 402,
    body: { error: { code: 402, message: CREDITS } },
    words: CREDITS,
  },
  {
    name: "a size",
    status: 429,
    body: { error: { message: SIZE, type: "tokens", code: "rate_limit_exceeded" } },
    words: SIZE,
    headers: { "retry-after": "20" },
  },
  {
    name: "a list",
    status: 400,
    body: [{ error: { code: 400, message: 'Unknown name "foo"', status: "INVALID_ARGUMENT" } }],
    words: 'Unknown name "foo"',
  },
  {
    name: "a flat object",
    status: 400,
    body: { object: "error", message: CONTEXT, type: "BadRequestError", param: null, code: 400 },
    words: CONTEXT,
  },
  {
    name: "details",
    status: 422,
    body: { detail: [{ loc: ["body", "foo"], msg: "Extra inputs are not permitted" }] },
    words: "body.foo: Extra inputs are not permitted",
  },
  { name: "a detail", status: 404, body: { detail: "Not Found" }, words: "Not Found" },
  {
    name: "an error as text",
    status: 404,
    body: { error: "model 'llama9' not found" },
    words: "model 'llama9' not found",
  },
  { name: "plain text", status: 400, body: "context too long", words: "context too long" },
  { name: "a text as JSON", status: 400, body: '"context too long"', words: "context too long" },
  {
    name: "a null beside a message",
    status: 400,
    body: { error: null, message: "boom" },
    words: "boom",
  },
  { name: "an event", status: 400, body: 'data: {"error":{"message":"boom"}}\n\n', words: "boom" },
  { name: "a page", status: 413, body: "<html>413 Request Entity Too Large</html>", words: null },
  { name: "nothing", status: 400, body: "", words: null },
  {
    name: "a tool that failed",
    status: 424,
    body: {
      error: {
        message: "Error retrieving tool list",
        type: "external_connector_error",
        param: "tools",
        code: "http_error",
      },
    },
    words: "Error retrieving tool list",
  },
  {
    name: "a conflict",
    status: 409,
    body: { error: { message: "Another process is operating" } },
    words: "Another process is operating",
  },
  {
    name: "the law",
    status: 451,
    body: { title: "Unavailable", detail: "not here" },
    words: "not here",
  },
  {
    name: "a problem",
    status: 415,
    body: { type: "about:blank", title: "Unsupported", status: 415 },
    words: "Unsupported",
  },
];
