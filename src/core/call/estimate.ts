import type { RelayAccount } from "../ports.ts";
import type { Usage } from "./messages.ts";
import type { ReservedTokens } from "./reserved-tokens.ts";

/** A question is reserved by its most tokens; English text comes to half of them. */
const RESERVED_PER_TOKEN = 2;
/** An estimate is a tenth above what was seen, so that leaving early saves nothing. */
const MARGIN_TENTHS = 11;

/** What was seen of an answer before its head came. */
export const NOTHING_SEEN: RelayAccount = {
  model: null,
  usage: null,
  upstreamId: null,
  answerTokens: 0,
  reasoned: false,
  pending: false,
};

/**
 * The usage of a call whose upstream was asked and never said it: what is usual for the question, and
 * what passed of the answer. Never more than was reserved, and all of it if the model thinks unseen.
 */
export function estimatedUsage(
  reserved: ReservedTokens,
  answerTokens: number,
  isUnseen: boolean,
): Usage {
  const most = reserved.question + reserved.answers;
  const usual = Math.ceil(reserved.question / RESERVED_PER_TOKEN);
  const promptTokens = Math.min(withMargin(usual), reserved.question);
  // embeddings have no answer, whatever the model
  const seen = reserved.answers === 0 ? promptTokens : withMargin(usual + answerTokens);
  const totalTokens = isUnseen && reserved.answers > 0 ? most : Math.min(seen, most);
  const completionTokens = totalTokens - promptTokens;
  return { promptTokens, completionTokens, totalTokens, cachedTokens: null };
}

function withMargin(tokens: number): number {
  return Math.ceil((tokens * MARGIN_TENTHS) / 10);
}
