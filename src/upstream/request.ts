import {
  type ChatMessage,
  type ChatRequest,
  textOf,
  wantsNewerTokenField,
} from "../core/call/messages.ts";

/** Where a question goes and in what words. */
export interface PreparedRequest {
  readonly path: "/chat/completions" | "/completions";
  readonly body: string;
}

/** Models that only know /completions; anything else chats. */
const COMPLETION_ONLY = /^(text-davinci-\d{3}|davinci-002|babbage-002|.*-instruct(-\d{4})?)$/;
export type TokenField = "max_tokens" | "max_completion_tokens";

/** OpenAI's own names are known by their pattern; an instruct model of another vendor chats. */
export function isCompletionOnly(model: string): boolean {
  return COMPLETION_ONLY.test(model) && !model.includes("/");
}

export function usualTokenField(model: string): TokenField {
  return wantsNewerTokenField(model) ? "max_completion_tokens" : "max_tokens";
}

export function prepareRequest(
  request: ChatRequest,
  stream: boolean,
  tokenField: TokenField,
): PreparedRequest {
  const { model, messages, maxTokens } = request;
  const streaming = stream ? { stream: true, stream_options: { include_usage: true } } : {};
  if (isCompletionOnly(model)) {
    const body = { model, prompt: toPrompt(messages), max_tokens: maxTokens, ...streaming };
    return { path: "/completions", body: JSON.stringify(body) };
  }
  const body = { model, messages, [tokenField]: maxTokens, ...streaming };
  return { path: "/chat/completions", body: JSON.stringify(body) };
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
