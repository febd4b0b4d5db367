import type { LedgerRow } from "../../core/accounts/accounts.ts";
import { formatMoney } from "../../core/accounts/money.ts";

/** What is selected as it is; cost comes through a cast. */
export const rowColumns = [
  "id",
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
  "provenance",
  "outcome",
  "on_disconnect",
  "status",
  "error",
  "first_token_ms",
  "duration_ms",
  "upstream_id",
] as const;

export interface StoredRow {
  readonly id: string;
  readonly request_id: string;
  readonly at: number;
  readonly payer_kind: string;
  readonly token_id: string | null;
  readonly key_digest: string | null;
  readonly dialect: string;
  readonly model: string;
  readonly answered_by: string | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly cached_tokens: number | null;
  readonly total_tokens: number | null;
  readonly price: string | null;
  readonly cost: string | null;
  readonly provenance: string;
  readonly outcome: string;
  readonly on_disconnect: string;
  readonly status: number | null;
  readonly error: string | null;
  readonly first_token_ms: number | null;
  readonly duration_ms: number | null;
  readonly upstream_id: string | null;
}

export function ledgerRow(row: StoredRow): LedgerRow {
  return {
    id: row.id,
    requestId: row.request_id,
    at: row.at,
    // These four were written from the same closed lists.
    payerKind: row.payer_kind as LedgerRow["payerKind"],
    provenance: row.provenance as LedgerRow["provenance"],
    outcome: row.outcome as LedgerRow["outcome"],
    error: row.error as LedgerRow["error"],
    tokenId: row.token_id,
    keyDigest: row.key_digest,
    dialect: row.dialect,
    model: row.model,
    answeredBy: row.answered_by,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    cachedTokens: row.cached_tokens,
    totalTokens: row.total_tokens,
    price: row.price,
    cost: row.cost === null ? null : formatMoney(BigInt(row.cost)),
    onDisconnect: row.on_disconnect,
    status: row.status,
    firstTokenMs: row.first_token_ms,
    durationMs: row.duration_ms,
    upstreamId: row.upstream_id,
  };
}
