import { z } from "zod";
import { parseProxyUrl, parseUpstreamUrl } from "../config/urls.ts";
import { isApiKey } from "../core/api-key.ts";
import {
  isUpstreamName,
  MAX_HEADER_CHARACTERS,
  MAX_UPSTREAM_HEADERS,
  MAX_UPSTREAM_KEYS,
  MAX_UPSTREAM_NAME_CHARACTERS,
  MAX_URL_CHARACTERS,
} from "../core/routing/bounds.ts";
import { secretParametersIn } from "../core/shown-url.ts";
import { refused } from "../parsing.ts";
import { field, type ParsedField, wrongType } from "./fields.ts";

export function upstreamName() {
  const shown = { type: "string", pattern: `^[a-z0-9-]{1,${MAX_UPSTREAM_NAME_CHARACTERS}}$` };
  return field(shown, (given): ParsedField<string> => {
    const value = typeof given === "string" ? given.trim() : "";
    return isUpstreamName(value) ? { value } : wrongType("upstream_name");
  });
}

/** As OPENAI_URL, but its query is shown, so that a key can't be in it. */
export function serviceUrl() {
  const shown = { type: "string", format: "uri", maxLength: MAX_URL_CHARACTERS };
  return field(shown, (given): ParsedField<string> => {
    const parsed = parseUpstreamUrl(typeof given === "string" ? given.trim() : "");
    if ("problem" in parsed || secretParametersIn(parsed.value).length > 0) {
      return wrongType("service_url");
    }
    const { href } = parsed.value;
    return href.length > MAX_URL_CHARACTERS
      ? refused("field_too_long", { max: MAX_URL_CHARACTERS })
      : { value: href };
  });
}

export function proxyUrl() {
  const shown = { type: "string", format: "uri", maxLength: MAX_URL_CHARACTERS };
  return field(shown, (given): ParsedField<string> => {
    const text = typeof given === "string" ? given.trim() : "";
    const parsed = parseProxyUrl(text.slice(0, MAX_URL_CHARACTERS));
    const isProxy = "value" in parsed && parsed.value !== null;
    return isProxy ? { value: parsed.value.href } : wrongType("proxy_url");
  });
}

/** A list, or text with one in each line. */
export function keyList() {
  const shown = {
    type: ["array", "string"],
    items: { type: "string" },
    maxItems: MAX_UPSTREAM_KEYS,
    description: "A list, or text with a key in each line",
  };
  return field(shown, (given): ParsedField<readonly string[]> => {
    const list: unknown = typeof given === "string" ? given.split("\n") : given;
    if (!Array.isArray(list) || !list.every((one) => typeof one === "string")) {
      return wrongType("keys");
    }
    const value = [...new Set(list.map((one) => one.trim()))].filter((one) => one !== "");
    if (value.length > MAX_UPSTREAM_KEYS) {
      return refused("field_too_many", { max: MAX_UPSTREAM_KEYS });
    }
    if (typeof given === "string" && value.length === 0) return refused("field_empty");
    return value.every(isApiKey) ? { value } : wrongType("keys");
  });
}

/** Those that say how a message is sent, and those that Parley writes itself. */
const NOT_ADDED: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"],
  ...["upgrade", "proxy-authenticate", "proxy-authorization", "expect"],
  ...["host", "content-length", "content-type", "content-encoding"],
  ...["accept", "accept-encoding"],
]);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/;
const HEADER_VALUE = /^[\x20-\x7e]+$/;

/** By lower-case name. */
export function headerFields() {
  const shown = {
    type: "object",
    additionalProperties: { type: "string" },
    maxProperties: MAX_UPSTREAM_HEADERS,
  };
  const schema = z.unknown().transform((given, context): Readonly<Record<string, string>> => {
    const problem = headersProblem(given);
    // cast: without a problem all are text
    if (problem === null) return Object.fromEntries(headersIn(given)) as Record<string, string>;
    context.addIssue({ code: "custom", ...problem });
    return z.NEVER;
  });
  return schema.meta(shown);
}

/** Expects an object. */
function headersIn(given: unknown): (readonly [name: string, value: unknown])[] {
  return Object.entries(Object(given)).map(([name, value]) => [
    name.trim().toLowerCase(),
    typeof value === "string" ? value.trim() : value,
  ]);
}

function headersProblem(given: unknown) {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { params: { key: "field_type", params: { expected: "object" } } };
  }
  const entries = headersIn(given);
  if (entries.length > MAX_UPSTREAM_HEADERS) {
    return { params: { key: "field_too_many", params: { max: MAX_UPSTREAM_HEADERS } } };
  }
  const names = entries.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return { path: [twice], params: { key: "field_repeated" } };
  const wrong = entries.find(([name, value]) => !isHeader(name, value))?.[0];
  if (wrong === undefined) return null;
  return { path: [wrong], params: { key: "field_type", params: { expected: "header" } } };
}

function isHeader(name: string, value: unknown): boolean {
  const isName = HEADER_NAME.test(name) && !NOT_ADDED.has(name) && name !== "__proto__";
  if (!isName || typeof value !== "string") return false;
  return value.length <= MAX_HEADER_CHARACTERS && HEADER_VALUE.test(value);
}
