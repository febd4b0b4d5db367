/** Calls as the ledger takes them. */
import type { LedgerEntry, PriceBook, Token } from "../../../src/core/accounts/accounts.ts";
import { cost, type Price } from "../../../src/core/accounts/price.ts";
import type { Usage } from "../../../src/core/call/messages.ts";
import type { MadeCall } from "./calls.ts";

const TOKENS_PER_SECOND = 55;
const REFUSED_MS = 3;
/** A call that failed waited for so many first tokens. */
const WAITED = 4;

/** Prices are asked once per model: none changes while the week is written. */
export function createEntries(prices: PriceBook) {
  const known = new Map<string, Promise<Price | null>>();
  const priceOf = (model: string, at: number) => {
    const found = known.get(model) ?? prices.priceOf(model, at);
    known.set(model, found);
    return found;
  };
  return async (call: MadeCall, token: Token | null): Promise<LedgerEntry> => {
    const { at, dialect, model, outcome, error, tries, requestId } = call;
    const price = await priceOf(call.upstreamModel, at);
    const usage = usageOf(call);
    return {
      ...{ requestId, at, dialect, model, outcome, error, tries, usage, price },
      ...answerOf(call, usage),
      ...askedOf(call),
      payer: payerOf(call, token),
      cost: outcome === "refused" ? null : cost(usage, price),
      onDisconnect: "cancel",
      durationMs: durationOf(call, usage),
    };
  };
}

function askedOf({ outcome, upstream, upstreamModel }: MadeCall) {
  return outcome === "refused"
    ? { upstream: null, upstreamModel: null }
    : { upstream, upstreamModel };
}

function answerOf({ upstreamModel, requestId, firstTokenMs }: MadeCall, usage: Usage | null) {
  if (usage === null) {
    const provenance = "unknown" as const;
    return { answeredBy: null, provenance, upstreamId: null, firstTokenMs: null };
  }
  return {
    answeredBy: upstreamModel,
    provenance: "reported" as const,
    upstreamId: `chatcmpl-${requestId.slice(0, 24)}`,
    // embeddings have none
    firstTokenMs: usage.completionTokens === 0 ? null : firstTokenMs,
  };
}

function payerOf({ keyDigest }: MadeCall, token: Token | null): LedgerEntry["payer"] {
  if (token !== null) return { kind: "token", tokenId: token.id, keyDigest: null };
  const kind = keyDigest === null ? "visitor" : "own-key";
  return { kind, tokenId: null, keyDigest };
}

/** A client that leaves has had a part of the answer. */
const PART_OF_CANCELED = 0.4;

function usageOf(call: MadeCall): Usage | null {
  const { outcome, promptTokens, cachedTokens } = call;
  if (outcome === "failed" || outcome === "refused") return null;
  const part = outcome === "completed" ? 1 : PART_OF_CANCELED;
  const completionTokens = Math.ceil(call.completionTokens * part);
  const totalTokens = promptTokens + completionTokens;
  return { promptTokens, cachedTokens, completionTokens, totalTokens };
}

function durationOf({ outcome, firstTokenMs }: MadeCall, usage: Usage | null): number {
  if (outcome === "refused") return REFUSED_MS;
  if (usage === null) return firstTokenMs * WAITED;
  return firstTokenMs + Math.round((usage.completionTokens * 1_000) / TOKENS_PER_SECOND);
}
