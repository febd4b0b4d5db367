import type { CompletionUsage } from "openai/resources/completions";
import type { ResponseUsage } from "openai/resources/responses/responses";
import { MAX_COUNTED_TOKENS } from "../core/accounts/price.ts";
import type { Completion, Usage } from "../core/call/messages.ts";
import { ProxyError } from "../core/errors.ts";
import type { RelayAccount } from "../core/ports.ts";

/** What compatible servers really send: every field may be missing, null or of another type. */
type Loose<T> = { [K in keyof T]?: Loose<T[K]> | null };

/** Larger JSON (embeddings) is not parsed: its fields are looked up in the text. */
const MAX_PARSED_BYTES = 65_536;

export const UNKNOWN_ACCOUNT: RelayAccount = {
  model: null,
  usage: null,
  upstreamId: null,
  answerTokens: 0,
  reasoned: false,
  pending: false,
};

/** Reads a whole answer. HTML, an empty text and other JSON are a bad answer. */
export function readCompletion(text: string): Completion {
  const answer = answerIn(text);
  if (firstChoice(answer) === null) throw new ProxyError("upstream_bad_answer");
  return completionOf(answer);
}

/** Reads one event of a stream: a piece of the text, and the rest as far as the event has it. */
export function readDelta(data: string): Completion {
  return completionOf(answerIn(data));
}

/** What a whole response says about its call. Null if it is not JSON (not checked above 64 KiB). */
export function readAccount(bytes: Buffer): RelayAccount | null {
  if (bytes.length > MAX_PARSED_BYTES) return findAccount(bytes);
  const value = jsonIn(bytes.toString());
  return isObject(value) ? accountIn(value) : null;
}

/** What an answer, or an event of a stream, says about its call. */
export function accountIn(value: object): RelayAccount {
  // events of the responses API hold the answer one level down
  const inner: unknown = Reflect.get(value, "response");
  const answer = isObject(inner) ? inner : value;
  return {
    ...UNKNOWN_ACCOUNT,
    model: stringIn(answer, "model"),
    usage: toUsage(Reflect.get(answer, "usage")),
    upstreamId: stringIn(answer, "id"),
  };
}

/**
 * Token counts as chat and completions (`prompt_tokens`) or responses (`input_tokens`) spell them.
 * Null if they are missing or cannot be true.
 */
export function toUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const usage = value as Loose<CompletionUsage> & Loose<ResponseUsage>; // fields are checked below
  const promptTokens = count(usage.prompt_tokens ?? usage.input_tokens);
  const completionTokens = count(usage.completion_tokens ?? usage.output_tokens ?? 0);
  if (promptTokens === null || completionTokens === null) return null;
  const details = usage.prompt_tokens_details ?? usage.input_tokens_details;
  return {
    promptTokens,
    completionTokens,
    totalTokens: count(usage.total_tokens) ?? promptTokens + completionTokens,
    cachedTokens: count(details?.cached_tokens),
  };
}

/** Undefined if the text is not JSON. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export function stringIn(object: object, name: string): string | null {
  const value: unknown = Reflect.get(object, name);
  return typeof value === "string" ? value : null;
}

function answerIn(text: string): object {
  const value = jsonIn(text);
  if (!isObject(value)) throw new ProxyError("upstream_bad_answer");
  if ("error" in value && value.error !== null) throw new ProxyError("upstream_failed");
  return value;
}

function completionOf(answer: object): Completion {
  const choice = firstChoice(answer);
  return {
    text: choice === null ? "" : textOf(choice),
    model: stringIn(answer, "model") ?? "",
    finishReason: choice === null ? null : stringIn(choice, "finish_reason"),
    usage: toUsage(Reflect.get(answer, "usage")),
    upstreamId: stringIn(answer, "id"),
  };
}

function firstChoice(answer: object): object | null {
  const choices: unknown = Reflect.get(answer, "choices");
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  return isObject(first) ? first : null;
}

/** Chat writes a message, its streams a delta, completions a text. */
function textOf(choice: object): string {
  const said: unknown = Reflect.get(choice, "message") ?? Reflect.get(choice, "delta");
  const text = isObject(said) ? (stringIn(said, "content") ?? stringIn(said, "refusal")) : null;
  return text ?? stringIn(choice, "text") ?? "";
}

function count(value: unknown): number | null {
  const number = typeof value === "number" && Number.isInteger(value) ? value : -1;
  return number >= 0 && number <= MAX_COUNTED_TOKENS ? number : null;
}

/** Looks the fields up where services write them: the id first, usage last. */
function findAccount(bytes: Buffer): RelayAccount | null {
  const matchAt = (start: number, length: number, pattern: RegExp): string | null =>
    start === -1
      ? null
      : (pattern.exec(bytes.toString("utf8", start, start + length))?.[1] ?? null);
  if (matchAt(0, 64, /^\s*(\{)/) === null) return null;
  const model = /^"model"\s*:\s*"([^"\\]{0,200})"/;
  const usage = /^"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})/;
  return {
    ...UNKNOWN_ACCOUNT,
    model: matchAt(bytes.indexOf('"model"'), 300, model),
    usage: toUsage(jsonIn(matchAt(bytes.lastIndexOf('"usage"'), 2_000, usage) ?? "")),
    upstreamId: matchAt(0, 300, /^\s*\{\s*"id"\s*:\s*"([^"\\]{1,200})"/),
  };
}
