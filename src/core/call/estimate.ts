import type { CallRecord } from "../ports.ts";
import type { RelayAccount } from "../upstream-ports.ts";
import type { Usage } from "./messages.ts";
import type { ReasoningModels } from "./reasoning.ts";
import type { ReservedTokens } from "./reserved-tokens.ts";

/** A question is reserved by its most tokens; English text comes to half of them. */
const RESERVED_PER_TOKEN = 2;
/** An estimate is a tenth above what was seen, so that leaving early saves nothing. */
const MARGIN_TENTHS = 11;

/** How much too high the tokens of a text may be taken: some scripts have two characters a token. */
const MAX_OVERCOUNT = 2;

/** What was seen of an answer before its head came. */
export const NOTHING_SEEN: RelayAccount = {
  model: null,
  usage: null,
  upstreamId: null,
  answerTokens: 0,
  reasoned: false,
  pending: false,
  cut: false,
};

/** Usage, and where it comes from. */
export type Used = Pick<CallRecord, "usage" | "units" | "provenance">;

export const UNKNOWN: Used = { usage: null, provenance: "unknown" };

/**
 * As it was reported, else as estimated. Unknown, and free, is what the upstream refused or never got.
 * `model`: as its service names it, which tells whether it thinks.
 */
export function usedBy(
  model: string,
  account: RelayAccount | undefined,
  reserved: ReservedTokens,
  reasoning: ReasoningModels,
): Used {
  if (account === undefined) return UNKNOWN;
  if (account.reasoned) reasoning.learn(model);
  const { usage: reported } = account;
  const thinks = account.reasoned || reasoning.has(model);
  if (reported !== null && !(account.cut && isStale(reported, account, thinks))) {
    return { usage: reported, provenance: "reported" };
  }
  // it may be under way, and without its id nobody can ask
  const isLost = reserved.inBackground === true && account.upstreamId === null;
  const isUnseen = account.pending || thinks || isLost || reserved.passesUnseen === true;
  const usage = estimatedUsage(reserved, account.answerTokens, isUnseen);
  return { usage, provenance: "estimated" };
}

/** Some services count with each event, others fill in zeros until the last one. */
function isStale(
  { completionTokens }: Usage,
  { answerTokens, reasoned }: RelayAccount,
  thinks: boolean,
): boolean {
  const isLate = completionTokens < Math.max(answerTokens / MAX_OVERCOUNT, 1);
  return isLate || (thinks && !reasoned);
}

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
