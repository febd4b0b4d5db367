import type { RelayCall } from "../../core/call/pipeline.ts";
import { reservedTokens } from "../../core/call/reserved-tokens.ts";
import { withExactNumbers } from "../../http/body/exact-numbers.ts";
import { countKeys } from "../../http/body/json-text.ts";
import { parsed } from "../../http/body/parsed.ts";
import {
  askingForUsage,
  lacksUsage,
  relayFields,
  reservedForRelay,
  withTokenField,
} from "../../http/body/relay-fields.ts";

/** One endpoint of OpenAI's API that is relayed. */
export interface Endpoint {
  /** Below /v1, and below the upstream's base path. */
  readonly path: string;
  /** Whether a stream of it has to be asked for its usage. */
  readonly asksForUsage: boolean;
  /** Whether the model writes, so that the answer costs tokens too. */
  readonly writes: boolean;
}

export const chatEndpoint: Endpoint = {
  path: "/chat/completions",
  asksForUsage: true,
  writes: true,
};

export const endpoints: readonly Endpoint[] = [
  chatEndpoint,
  { path: "/completions", asksForUsage: true, writes: true },
  { path: "/responses", asksForUsage: false, writes: true },
  { path: "/embeddings", asksForUsage: false, writes: false },
  { path: "/moderations", asksForUsage: false, writes: false },
];

/** Throws the first mistake, naming the field. */
export function parseRelay(endpoint: Endpoint, json: unknown, bytes: Buffer): RelayCall {
  const fields = parsed(relayFields, json);
  const model = fields.model ?? "";
  const hideUsage = endpoint.asksForUsage && lacksUsage(fields);
  const streamed = fields.stream === true;
  // checked by the schema
  const asked = json as object;
  const adapt = (body: object) => adapted(endpoint, body, model, hideUsage);
  const passes = !streamed && adapt(asked) === asked && saysItOnce(asked, bytes);
  return {
    model,
    reservedTokens: endpoint.writes
      ? reservedForRelay(fields, bytes.length)
      : reservedTokens(bytes.length, 0),
    request: {
      method: "POST",
      path: endpoint.path,
      body: passes ? bytes : JSON.stringify(adapt(withExactNumbers(asked, bytes))),
      streamed,
      hideUsage,
    },
  };
}

/**
 * Whether the bytes can go on as they came, which saves half of what a prompt of 100 KB costs. Of a
 * key that comes twice we read the last and the upstream perhaps the first, and another model would
 * be asked than the one admitted; in an options object of a stream, that would hide its usage.
 */
function saysItOnce(json: object, bytes: Buffer): boolean {
  return bytes[0] !== BYTE_ORDER_MARK && countKeys(bytes) === Object.keys(json).length;
}

const BYTE_ORDER_MARK = 0xef;

/** The object the client sent, field for field, with what the upstream needs changed. */
function adapted(endpoint: Endpoint, json: object, model: string, askForUsage: boolean): object {
  // a field of other dialects: on its way upstream it would hand a credential on
  const { api_key: _credential, ...own } = json as { api_key?: unknown };
  const passed: object = "api_key" in json ? own : json;
  const asked = askForUsage ? askingForUsage(passed) : passed;
  return endpoint === chatEndpoint ? withTokenField(asked, model) : asked;
}
