import { createHash } from "node:crypto";
import type { LedgerEntry } from "../../core/accounts/accounts.ts";
import { isPlausible, priceText } from "../../core/accounts/price.ts";
import type { Usage } from "../../core/call/messages.ts";
import type { RowValues } from "../driver/many-rows.ts";
import { cleaned, cleanedOrNull } from "../driver/text.ts";

/** The columns of a ledger row in the order they are bound. */
export const entryColumns = [
  "id",
  "state",
  "request_id",
  "at",
  "payer_kind",
  "token_id",
  "key_digest",
  "dialect",
  "model",
  "answered_by",
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "total_tokens",
  "price",
  "cost",
  "provenance",
  "outcome",
  "on_disconnect",
  "status",
  "error",
  "first_token_ms",
  "duration_ms",
  "upstream_id",
] as const;

/**
 * An entry as it is bound. Texts that clients and upstreams chose are made storable, counts that
 * no model could have produced become unknown: a row must never fail for what a stranger sent.
 */
export function entryValues(id: string, entry: LedgerEntry): RowValues {
  const usage = plausibleUsage(entry.usage);
  const cost = entry.usage !== null && usage === null ? null : entry.cost;
  return [
    id,
    "settled",
    cleaned(entry.requestId),
    Math.trunc(entry.at),
    entry.payer.kind,
    cleanedOrNull(entry.payer.tokenId),
    digestOnly(entry.payer.keyDigest),
    cleaned(entry.dialect),
    cleaned(entry.model),
    cleanedOrNull(entry.answeredBy),
    usage?.promptTokens ?? null,
    usage?.completionTokens ?? null,
    usage?.cachedTokens ?? null,
    usage?.totalTokens ?? null,
    entry.price === null ? null : priceText(entry.price),
    cost,
    usage === null ? "unknown" : entry.provenance,
    entry.outcome,
    cleaned(entry.onDisconnect),
    entry.status,
    entry.error,
    wholeMs(entry.firstTokenMs),
    wholeMs(entry.durationMs),
    cleanedOrNull(entry.upstreamId),
  ];
}

export function plausibleUsage(usage: Usage | null): Usage | null {
  return usage !== null && isPlausible(usage) ? usage : null;
}

function wholeMs(ms: number | null): number | null {
  return ms === null || !Number.isFinite(ms) ? null : Math.round(ms);
}

/** A key given by mistake instead of its digest is hashed rather than kept. */
function digestOnly(digest: string | null): string | null {
  if (digest === null || /^[0-9a-f]{16,128}$/.test(digest)) return digest;
  return createHash("sha256").update(digest).digest("hex");
}
