import type { RelayCall } from "../../core/call/pipeline.ts";
import { withExactNumbers } from "../../core/exact-numbers.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import type { PassedOn } from "../../http/body/model-choice.ts";
import { hasUniqueKeys, parsed } from "../../http/body/parsed.ts";
import {
  askingForUsage,
  expectedOfRelay,
  needsUsageOption,
  usageOption,
  withoutLookalikes,
  withTokenField,
} from "../../http/body/relay-fields.ts";
import type { RequestContext } from "../../http/call/request-context.ts";
import { type ResponseHeaders, responseHeaders } from "../../http/reply/response-headers.ts";
import { chatEndpoint, type Endpoint } from "./endpoints.ts";

/**
 * Throws the first mistake, naming the field. `defaultModel`: sent upstream if the request names no
 * model; null: the upstream has its own. `check` throws what the operator doesn't allow.
 */
export function parseRelay(
  endpoint: Endpoint,
  json: unknown,
  bytes: Buffer,
  defaultModel: string | null,
  check: (asked: PassedOn) => void,
): RelayCall {
  const fields = parsed(endpoint.body, json);
  const added = fields.model ? null : defaultModel;
  const model = fields.model || (added ?? "");
  check({ model, fields, bounds: endpoint.bounds });
  const hideUsage = endpoint.asksForUsage && needsUsageOption(fields);
  const streamed = fields.stream === true || endpoint.isStreamed?.(fields) === true;
  // checked by the schema
  const asked = json as object;
  const isPlain = endpoint.keepsAnswers !== true || !isNested(fields.conversation);
  const requestFor = (renamed: string | null): RelayRequest => {
    const name = renamed ?? model;
    const adapt = (body: object, asksForUsage = hideUsage) => {
      const all = adapted(endpoint, body, name, asksForUsage);
      return renamed === null && added === null ? all : { ...all, model: name };
    };
    const passes = !streamed && isPlain && adapt(asked) === asked && hasUniqueKeys(asked, bytes);
    return {
      method: "POST",
      path: endpoint.path,
      body: passes ? bytes : JSON.stringify(adapt(withExactNumbers(asked, bytes))),
      streamed,
      ...(endpoint.answersFiles && { anyBytes: "labeled" as const }),
      hideUsage,
      usageOption: usageOption(fields, name, hideUsage, () =>
        JSON.stringify(adapt(withExactNumbers(asked, bytes), false)),
      ),
      named: requestFor,
    };
  };
  return {
    model,
    expected:
      endpoint.expected?.(fields, bytes.length) ??
      expectedOfRelay(fields, bytes.length, endpoint.bounds),
    request: requestFor(null),
  };
}

/** Its keys may be there twice. */
function isNested(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** The client's object, field for field, with what the upstream needs changed. */
function adapted(endpoint: Endpoint, json: object, model: string, askForUsage: boolean): object {
  // a field of other dialects, which would give a credential to the upstream
  const { api_key: _credential, ...own } = json as { api_key?: unknown };
  const passed = withoutLookalikes("api_key" in json ? own : json);
  const asked = askForUsage ? askingForUsage(passed) : passed;
  return endpoint === chatEndpoint ? withTokenField(asked, model) : asked;
}

/** The usual headers, with the tightest window in OpenAI's spelling, which its clients log or obey. */
export function openaiHeaders(context: RequestContext, contentType: string): ResponseHeaders {
  const headers = responseHeaders(context, contentType);
  const [first, ...others] = context.limits?.windows ?? [];
  if (first === undefined) return headers;
  let tightest = first;
  for (const window of others) if (window.remaining < tightest.remaining) tightest = window;
  headers["x-ratelimit-limit-requests"] = String(tightest.limit);
  headers["x-ratelimit-remaining-requests"] = String(tightest.remaining);
  headers["x-ratelimit-reset-requests"] = goDuration(tightest.resetMs);
  return headers;
}

/** `12ms`, `1s`, `6m0s`, as Go prints a duration. */
function goDuration(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
