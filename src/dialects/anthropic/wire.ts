import { z } from "zod";
import type { RelayCall } from "../../core/call/pipeline.ts";
import { withExactNumbers } from "../../core/exact-numbers.ts";
import type { AnthropicHeaders, RelayRequest } from "../../core/upstream-ports.ts";
import type { PassedOn } from "../../http/body/model-choice.ts";
import { hasUniqueKeys, parsed } from "../../http/body/parsed.ts";
import {
  type BoundField,
  expectedOfRelay,
  relayFields,
  withoutLookalikes,
} from "../../http/body/relay-fields.ts";

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]);
const asked = {
  model: z.string().min(1),
  messages: z.array(z.looseObject({ role: z.string(), content })).min(1),
};

/** The fields that Parley reads. The service, or the translation, checks all others. */
export const messagesBody = relayFields.extend({ ...asked, max_tokens: z.int().min(1) });
export const countBody = relayFields.extend(asked);

const BOUNDS: readonly BoundField[] = ["max_tokens"];

/** Where a request goes, and what goes with it. */
export interface Asked {
  readonly path: string;
  readonly anthropic: AnthropicHeaders;
}

/** Throws the first mistake, naming the field. `check` throws what the operator doesn't allow. */
export function parseMessages(
  json: unknown,
  bytes: Buffer,
  to: Asked,
  check: (asked: PassedOn) => void,
): RelayCall {
  const fields = parsed(messagesBody, json);
  check({ model: fields.model, fields, bounds: BOUNDS });
  return {
    model: fields.model,
    expected: expectedOfRelay(fields, bytes.length, BOUNDS),
    request: requestOf(json as object, bytes, { ...to, streamed: fields.stream === true }, null),
  };
}

export interface CountCall {
  readonly model: string;
  readonly request: RelayRequest;
}

export function parseCount(json: unknown, bytes: Buffer, to: Asked): CountCall {
  const fields = parsed(countBody, json);
  const request = requestOf(json as object, bytes, { ...to, streamed: false }, null);
  return { model: fields.model, request };
}

/**
 * The client's bytes pass if every name stands in them once. `body` was checked by the schema. `model`:
 * another name for it; null: the client's own.
 */
function requestOf(
  body: object,
  bytes: Buffer,
  to: Asked & Pick<RelayRequest, "streamed">,
  model: string | null,
): RelayRequest {
  const { path, anthropic, streamed } = to;
  const exact = () => ({
    ...adapted(withExactNumbers(body, bytes)),
    ...(model !== null && { model }),
  });
  const passes = model === null && adapted(body) === body && hasUniqueKeys(body, bytes);
  const sent = passes ? bytes : JSON.stringify(exact());
  const request = {
    method: "POST",
    path,
    body: sent,
    streamed,
    hideUsage: false,
    anthropic,
    named: (name: string) => requestOf(body, bytes, to, name),
  } as const;
  if (!streamed) return request;
  const without = () => JSON.stringify({ ...exact(), ...WITHOUT_USAGE });
  const asked = model ?? String(Reflect.get(body, "model"));
  return { ...request, usageOption: { model: asked, without } };
}

/** For the translation, where a service of another kind refuses to be asked for usage. */
const WITHOUT_USAGE = { stream_options: { include_usage: false } };

/** Without a field of other dialects, which would give a credential to the service. */
function adapted(body: object): object {
  const { api_key: _credential, ...own } = body as { api_key?: unknown };
  return withoutLookalikes("api_key" in body ? own : body);
}
