/** How the stand-in for a model answers: what, how much of it, and at what pace. */
import { setTimeout as wait } from "node:timers/promises";
import { answerTo } from "./answers.ts";
import { tokensOf } from "./tokens.ts";

/** As fast as people read. */
const TOKENS_PER_SECOND = 40;
/** A whole answer is made faster than one that is watched. */
const WHOLE_TOKENS_PER_SECOND = 160;
const FIRST_TOKEN_MS = 280;
const FIRST_TOKEN_SPREAD_MS = 420;
/** One answer in so many has a slow start. */
const SLOW_EACH = 9;
const SLOW_FIRST_TOKEN_MS = 2_200;
/** Around each message. */
const TOKENS_PER_MESSAGE = 4;

interface Asked {
  readonly role?: unknown;
  readonly content?: unknown;
}

export interface Answering {
  readonly serial: number;
  readonly tokens: readonly string[];
  readonly isCut: boolean;
  readonly promptTokens: number;
}

let asked = 0;

/** Answers the last message of the user; `most` is the greatest number of tokens. */
export function beginAnswer(messages: unknown, system: unknown, most: unknown): Answering {
  asked += 1;
  const all = (Array.isArray(messages) ? messages : []) as readonly Asked[];
  const last = all.findLast(({ role }) => role === "user");
  const whole = tokensOf(answerTo(contentText(last?.content)));
  const max = typeof most === "number" ? most : whole.length;
  const read = [contentText(system), ...all.map(({ content }) => contentText(content))];
  return {
    serial: asked,
    tokens: whole.slice(0, max),
    isCut: whole.length > max,
    promptTokens: read.reduce((sum, text) => sum + tokensOf(text).length + TOKENS_PER_MESSAGE, 0),
  };
}

/** The text of a content, which may have parts. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as readonly { text?: unknown }[])
    .map(({ text }) => (typeof text === "string" ? text : ""))
    .join("\n");
}

/** Gives the tokens one by one; rejects when the reader has left. */
export async function* spoken({ serial, tokens }: Answering, signal: AbortSignal) {
  await wait(firstTokenMs(serial), undefined, { signal });
  for (const token of tokens) {
    yield token;
    await wait(1_000 / TOKENS_PER_SECOND, undefined, { signal });
  }
}

/** Waits as long as a whole answer takes. */
export async function think({ serial, tokens }: Answering, signal: AbortSignal): Promise<void> {
  const ms = firstTokenMs(serial) + (tokens.length * 1_000) / WHOLE_TOKENS_PER_SECOND;
  await wait(ms, undefined, { signal });
}

/** The same for each serial, so that one start is like the next. */
function firstTokenMs(serial: number): number {
  if (serial % SLOW_EACH === 0) return SLOW_FIRST_TOKEN_MS;
  return FIRST_TOKEN_MS + ((serial * 137) % FIRST_TOKEN_SPREAD_MS);
}
