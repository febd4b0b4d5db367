import type { LedgerEntry, ReserveRequest, Token } from "../../../src/core/accounts/accounts.ts";
import { noLimits, type QuotaLimits, type Quotas } from "../../../src/core/accounts/quota.ts";
import { ledgerEntryOf } from "../../../src/core/call/admission.ts";
import type { Clock } from "../../../src/core/ports.ts";

export interface SetClock extends Clock {
  set(wallMs: number): void;
}

export const noon = Date.UTC(2026, 10, 21, 12);

/** Time that stands still until it is set. */
export function standingClock(wallMs = noon): SetClock {
  let now = wallMs;
  return {
    wallMs: () => now,
    monotonicMs: () => now,
    sleep: () => Promise.resolve(),
    set: (wallMs) => {
      now = wallMs;
    },
  };
}

export function perDay(limits: Partial<QuotaLimits>): Quotas {
  return { day: { ...noLimits, ...limits }, month: noLimits };
}

export function perMonth(limits: Partial<QuotaLimits>): Quotas {
  return { day: noLimits, month: { ...noLimits, ...limits } };
}

export function entry(changes: Partial<LedgerEntry> = {}): LedgerEntry {
  const record = {
    requestId: "req-1",
    dialect: "openai",
    bucket: "192.0.2.1",
    principal: "visitor",
    model: "gpt-4o-mini",
    answeredBy: "gpt-4o-mini-2024-07-18",
    usage: { promptTokens: 100, completionTokens: 50, totalTokens: 150, cachedTokens: 40 },
    provenance: "reported",
    upstreamId: "chatcmpl-1",
    outcome: "completed",
    error: null,
    streamed: false,
    firstTokenMs: 120.4,
    durationMs: 812.6,
    upstream: "default",
    upstreamModel: "gpt-4o-mini",
    tries: 1,
  } as const;
  const payer = { kind: "visitor", tokenId: null, keyDigest: null } as const;
  const prices = { input: "0.15", cachedInput: "0.075", output: "0.6" };
  const price = { model: "gpt-4o-mini", since: 0, ...prices };
  return { ...ledgerEntryOf(record, payer, price, noon, "cancel"), ...changes };
}

export function tokenEntry(token: Token, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  return entry({ payer: { kind: "token", tokenId: token.id, keyDigest: null }, ...changes });
}

export function wish(token: Token, changes: Partial<ReserveRequest> = {}): ReserveRequest {
  return {
    requestId: "req-1",
    at: noon,
    token,
    dialect: "openai",
    model: "gpt-4o-mini",
    onDisconnect: "cancel",
    tokens: 1_000,
    money: 600_000_000n,
    ...changes,
  };
}
