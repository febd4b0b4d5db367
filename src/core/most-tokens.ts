import type { ChatRequest } from "./messages.ts";

/** English has about four characters to a token; other scripts fewer, so three is the safer guess. */
const CHARACTERS_PER_TOKEN = 3;
/** Reserved for an answer whose length the client did not bound. */
const UNBOUNDED_ANSWER_TOKENS = 4_096;

/** What a call is expected to come to at most, for the reservation. The settlement counts truly. */
export function mostTokens(promptCharacters: number, answerTokens: number | null): number {
  const prompt = Math.ceil(promptCharacters / CHARACTERS_PER_TOKEN);
  return prompt + (answerTokens ?? UNBOUNDED_ANSWER_TOKENS);
}

export function mostTokensOf({ messages, maxTokens }: ChatRequest): number {
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
  return mostTokens(characters, maxTokens ?? null);
}
