import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";
import type { Completion, Usage } from "../core/call/messages.ts";
import { ProxyError } from "../core/errors.ts";
import { toUsage } from "./usage.ts";

/** What servers that call themselves compatible leave out or add; every field may be missing. */
type Loose<T> = { [K in keyof T]?: Loose<T[K]> | null };

/** A whole answer's text. HTML, emptiness and foreign shapes are a bad answer, not a success. */
export function parseCompletion(text: string): Completion {
  const answer = parseObject(text) as Loose<ChatCompletion> & { choices?: unknown };
  const choice = firstChoice(answer.choices);
  if (choice === null) throw new ProxyError("upstream_bad_answer");
  return {
    text: textOf(choice),
    model: stringOr(answer.model, ""),
    finishReason: stringOrNull(choice.finish_reason),
    usage: toUsage(answer.usage),
    upstreamId: stringOrNull(answer.id),
  };
}

/** What one event of a stream says. */
export interface Delta {
  readonly text: string;
  readonly model: string;
  readonly finishReason: string | null;
  readonly usage: Usage | null;
  readonly upstreamId: string | null;
}

export function parseDelta(data: string): Delta {
  const chunk = parseObject(data) as Loose<ChatCompletionChunk> & { choices?: unknown };
  const choice = firstChoice(chunk.choices);
  return {
    text: choice === null ? "" : textOf(choice),
    model: stringOr(chunk.model, ""),
    finishReason: choice === null ? null : stringOrNull(choice.finish_reason),
    usage: toUsage(chunk.usage),
    upstreamId: stringOrNull(chunk.id),
  };
}

interface LooseChoice {
  readonly finish_reason?: unknown;
  readonly text?: unknown;
  readonly message?: { content?: unknown; refusal?: unknown } | null;
  readonly delta?: { content?: unknown; refusal?: unknown } | null;
}

function parseObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProxyError("upstream_bad_answer", { cause });
  }
  if (typeof value !== "object" || value === null) throw new ProxyError("upstream_bad_answer");
  if ("error" in value && value.error !== null) throw new ProxyError("upstream_failed");
  return value;
}

function firstChoice(choices: unknown): LooseChoice | null {
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  return typeof first === "object" ? first : null;
}

function textOf({ message, delta, text }: LooseChoice): string {
  const said = message ?? delta;
  return stringOr(said?.content, stringOr(said?.refusal, stringOr(text, "")));
}

function stringOr(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}

function stringOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
