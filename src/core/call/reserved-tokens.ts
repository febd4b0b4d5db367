import { MAX_COUNTED_TOKENS } from "../accounts/price.ts";
import type { Units } from "../accounts/units.ts";
import { type ChatRequest, type Content, textOf } from "./messages.ts";

/** English has four bytes per token, Chinese two: bytes / 2 rarely underestimates. */
const BYTES_PER_TOKEN = 2;
/** Expected of an answer without a bound. */
const UNBOUNDED_ANSWER_TOKENS = 4_096;

/** Most tokens of an image of low detail or usual size. */
export const IMAGE_TOKENS = 1_500;

/** Most tokens that a call is expected to take. */
export interface ExpectedTokens {
  readonly question: number;
  /** Of each answer; 0 if the model writes none. */
  readonly answer: number;
  readonly answers: number;
  /** The answer goes on to be made when the client has left. */
  readonly inBackground?: boolean;
  /** What the model makes is no text, so its tokens can't be estimated while it passes. */
  readonly passesUnseen?: boolean;
  /** What the call may be charged by beside its tokens: the first that has a price counts. */
  readonly units?: readonly Units[];
}

/** The tokens of a call that its quotas hold until it is settled. */
export interface ReservedTokens {
  readonly question: number;
  /** Of all answers together. */
  readonly answers: number;
  readonly inBackground?: boolean;
  readonly passesUnseen?: boolean;
}

/** A bound of 0 or less is none: there are servers that read it so. */
export function expectedAnswer(maxTokens: number | null | undefined): number {
  return maxTokens != null && maxTokens > 0 ? maxTokens : UNBOUNDED_ANSWER_TOKENS;
}

/** `bytes` of text, and tokens of what is no text. */
export function expectedQuestion(bytes: number, otherTokens = 0): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN) + otherTokens;
}

export function expectedOfChat({ messages, maxTokens }: ChatRequest): ExpectedTokens {
  const question = messages.reduce((sum, { content }) => sum + promptTokens(content), 0);
  return { question, answer: expectedAnswer(maxTokens), answers: 1 };
}

/**
 * What is held of the quotas. An answer may ask for more than `maxAnswer`, and then may exceed a
 * quota by the rest: clients that ask for 128,000 tokens and use a thousand are not shut out.
 */
export function reservedTokens(expected: ExpectedTokens, maxAnswer: number): ReservedTokens {
  const question = Math.min(expected.question, MAX_COUNTED_TOKENS);
  const answers = expected.answers * Math.min(expected.answer, maxAnswer);
  const { inBackground = false, passesUnseen = false } = expected;
  return {
    question,
    answers: Math.min(answers, MAX_COUNTED_TOKENS - question),
    ...(inBackground && { inBackground }),
    ...(passesUnseen && { passesUnseen }),
  };
}

function promptTokens(content: Content): number {
  if (typeof content === "string") return expectedQuestion(utf8Bytes(content));
  const images = content.filter(({ type }) => type === "image_url").length;
  return expectedQuestion(utf8Bytes(textOf(content)), images * IMAGE_TOKENS);
}

const encoder = new TextEncoder();
const PIECE = 4_096;
/** A UTF-16 unit takes at most three bytes. */
const discarded = new Uint8Array(3 * PIECE);

/** Encodes to count: 0.1 to 0.5 ns per character; a loop over characters takes 4. */
function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += PIECE) {
    bytes += encoder.encodeInto(text.slice(at, at + PIECE), discarded).written;
  }
  return bytes;
}
