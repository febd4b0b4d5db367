import {
  type ChatMessage,
  type ChatRequest,
  textOf,
  wantsNewerTokenField,
} from "../core/call/messages.ts";
import type { UpstreamRequest } from "./ask.ts";

/** OpenAI's models that only know /completions; anything else chats. */
const COMPLETION_ONLY = /^(text-davinci-\d{3}|davinci-002|babbage-002|.*-instruct(-\d{4})?)$/;
export type TokenField = "max_tokens" | "max_completion_tokens";

/** OpenAI's own names are known by their pattern. An instruct model of another vendor chats. */
export function isCompletionOnly(model: string): boolean {
  return COMPLETION_ONLY.test(model) && !model.includes("/");
}

export function usualTokenField(model: string): TokenField {
  return wantsNewerTokenField(model) ? "max_completion_tokens" : "max_tokens";
}

/** Opaque parameters go first, so that no field of ours can be replaced; undefined takes one out. */
export function prepareRequest(
  { model, messages, maxTokens, parameters }: ChatRequest,
  streamed: boolean,
  tokenField: TokenField,
): UpstreamRequest {
  const chats = !isCompletionOnly(model);
  const body = {
    ...parameters,
    model,
    messages: chats ? messages : undefined,
    prompt: chats ? undefined : toPrompt(messages),
    max_tokens: undefined,
    max_completion_tokens: undefined,
    [chats ? tokenField : "max_tokens"]: maxTokens,
    stream: streamed || undefined,
    stream_options: streamed ? { include_usage: true } : undefined,
  };
  const path = chats ? "/chat/completions" : "/completions";
  return { method: "POST", path, body: JSON.stringify(body), streamed };
}

/** A conversation as one text, for models that continue text instead of answering turns. */
function toPrompt(messages: readonly ChatMessage[]): string {
  const names = new Map([
    ["user", "User: "],
    ["assistant", "Assistant: "],
  ]);
  const only = messages.length === 1 ? messages[0] : undefined;
  if (only !== undefined) return textOf(only.content);
  const turns = messages.map(({ role, content }) => `${names.get(role) ?? ""}${textOf(content)}`);
  return `${turns.join("\n\n")}\n\nAssistant:`;
}
