import { type ChatRequest, type Content, textOf } from "./messages.ts";

/** English has four bytes to a token, Chinese two: half the bytes is seldom less than the truth. */
const BYTES_PER_TOKEN = 2;
/** Reserved for an answer whose length the client did not bound. */
const UNBOUNDED_ANSWER_TOKENS = 4_096;

/** What an image costs at most where its detail is low or its size usual. */
const IMAGE_TOKENS = 1_500;

/** What a call is expected to come to at most, for the reservation. The settlement counts truly. */
export function mostTokens(promptBytes: number, answerTokens: number | null): number {
  const prompt = Math.ceil(promptBytes / BYTES_PER_TOKEN);
  return prompt + (answerTokens ?? UNBOUNDED_ANSWER_TOKENS);
}

export function mostTokensOf({ messages, maxTokens }: ChatRequest): number {
  const bytes = messages.reduce((sum, { content }) => sum + promptBytes(content), 0);
  return mostTokens(bytes, maxTokens ?? null);
}

function promptBytes(content: Content): number {
  if (typeof content === "string") return utf8Bytes(content);
  const images = content.filter(({ type }) => type === "image_url").length;
  return utf8Bytes(textOf(content)) + images * IMAGE_TOKENS * BYTES_PER_TOKEN;
}

/** Close enough, and without a copy: beyond ASCII a UTF-16 unit is two or three bytes. */
function utf8Bytes(text: string): number {
  let beyond = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > ASCII) beyond += 1;
  }
  return text.length + 2 * beyond;
}

const ASCII = 0x7f;
