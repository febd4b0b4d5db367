import { type Content, textOf } from "../call/messages.ts";
import type { Message } from "./conversations.ts";
import { MESSAGES_PER_TURN } from "./turn-rules.ts";

/** Tokens of prompt and answer together, as the makers publish them (November 2026). */
const WINDOWS: readonly (readonly [RegExp, number])[] = [
  [/^gpt-3\.5-turbo-instruct/, 4_096],
  [/^gpt-3\.5/, 16_385],
  [/^gpt-4-32k/, 32_768],
  [/^gpt-4(-\d{4})?$/, 8_192],
  [/^gpt-4\.1/, 1_000_000],
  [/^(gpt-4|chatgpt-4o)/, 128_000],
  [/^gpt-5/, 400_000],
  [/^o\d/, 200_000],
  [/^(davinci|babbage)-002/, 16_384],
];
/** For other models: nearly all have it, and it is far more than people type. */
const USUAL_WINDOW = 32_000;

/** Reserved for an answer without a bound, at most half of the window. */
const ANSWER_TOKENS = 4_096;
/** English and Russian need about three characters per token; wide characters one each. */
const CHARACTERS_PER_TOKEN = 3;
/** From here on (Chinese, Japanese, Korean) a character is a token. */
const FIRST_WIDE = 0x2e80;
/**
 * Skips the count (4 ns per character): on text that V8 stores as Latin-1 this test is immediate.
 */
const WIDE = /[\u2e80-\uffff]/;
const IMAGE_TOKENS = 1_500;
/** Overhead per message. */
const MESSAGE_TOKENS = 4;

/** Read in addition to the text, for one image sent as `data:`. */
const IMAGE_CHARACTERS = 2_097_152;

/** Tokens left for the history after `beside` (question, system prompt) and the answer. */
export function roomForHistory(
  model: string,
  beside: readonly Content[],
  maxTokens: number | undefined,
  contextTokens: number | null,
): number {
  const window = contextTokens ?? windowOf(model);
  const answer = Math.min(maxTokens ?? ANSWER_TOKENS, window / 2);
  return Math.max(0, window - answer - sum(beside));
}

/** Upper bound for reading, in UTF-16 units; the exact choice follows. */
export function charactersOf(tokens: number): number {
  return Math.ceil(tokens * CHARACTERS_PER_TOKEN) + IMAGE_CHARACTERS;
}

/** The newest whole turns that fit, oldest first. */
export function newestThatFit(history: readonly Message[], tokens: number): readonly Message[] {
  const most = history.reduce((sum, { content }) => sum + quickTokensOf(content), 0);
  if (most <= tokens) return history;
  let left = tokens;
  const tooMuch = history.findLastIndex(({ content }) => {
    left -= tokensOf(content);
    return left < 0;
  });
  return history.slice(Math.ceil((tooMuch + 1) / MESSAGES_PER_TURN) * MESSAGES_PER_TURN);
}

function windowOf(model: string): number {
  return WINDOWS.find(([pattern]) => pattern.test(model))?.[1] ?? USUAL_WINDOW;
}

function sum(contents: readonly Content[]): number {
  return contents.reduce((tokens, content) => tokens + tokensOf(content), 0);
}

/** Upper bound; most histories fit by it and need no exact count. */
function quickTokensOf(content: Content): number {
  return typeof content === "string" ? content.length + MESSAGE_TOKENS : tokensOf(content);
}

function tokensOf(content: Content): number {
  const text = textOf(content);
  const wide = wideIn(text);
  const images = typeof content === "string" ? 0 : content.filter(isImage).length;
  const narrow = (text.length - wide) / CHARACTERS_PER_TOKEN;
  return Math.ceil(narrow) + wide + images * IMAGE_TOKENS + MESSAGE_TOKENS;
}

function wideIn(text: string): number {
  if (!WIDE.test(text)) return 0;
  let wide = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) >= FIRST_WIDE) wide += 1;
  }
  return wide;
}

function isImage({ type }: { readonly type: string }): boolean {
  return type === "image_url";
}
