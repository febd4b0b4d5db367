import type { TokenCounts } from "../call/messages.ts";
import type { Named } from "../named.ts";
import type { CallRecord, WindowName } from "../ports.ts";
import type { TokenGroup } from "./groups.ts";
import type { LedgerQuery } from "./ledger-query.ts";
import type { Picodollars } from "./money.ts";
import type { Price } from "./price.ts";
import type { Quotas, QuotaUse } from "./quota.ts";
import type { Reservation, ReserveResult } from "./reservation.ts";
import type { NewSecret, TokenChanges } from "./token-options.ts";

/** A credential the operator issued. Holds no secret: neither the token's nor the upstream key. */
export interface Token {
  readonly id: TokenId;
  readonly name: string;
  readonly comment: string;
  /** The last characters of the secret, so that people can tell tokens apart. */
  readonly hint: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** Refused since then, until it is enabled again. */
  readonly disabledAt: number | null;
  /** Until when an earlier secret is accepted, too. */
  readonly graceUntil: number | null;
  /** Models the holder may ask for; null = all. */
  readonly models: readonly string[] | null;
  /** Calls per sliding window; a window that is missing has no limit. */
  readonly limits: Readonly<Partial<Record<WindowName, number>>>;
  readonly quotas: Quotas;
  /** Model tokens in any 60 seconds; null = unlimited. */
  readonly tokensPerMinute: number | null;
  /** Calls that may be open at once; null = unlimited. */
  readonly concurrency: number | null;
  readonly group: TokenGroup | null;
  /** Whether calls are paid with an upstream key of the token's own. */
  readonly hasUpstreamKey: boolean;
}

export interface NewToken {
  readonly name: string;
  readonly comment?: string;
  readonly expiresAt?: number | null;
  readonly models?: readonly string[] | null;
  readonly limits?: Readonly<Partial<Record<WindowName, number>>>;
  readonly quotas?: Quotas;
  readonly tokensPerMinute?: number | null;
  readonly concurrency?: number | null;
  /** The name of its group. */
  readonly group?: string | null;
  readonly upstreamKey?: string | null;
}

/** A valid token as a call needs it. */
export interface FoundToken {
  readonly token: Token;
  /** Opens the token's own upstream key, or null. A function, so that no dump can show it. */
  readonly upstreamKey: () => string | null;
}

export interface ListQuery {
  /** At most 1,000. */
  readonly limit?: number;
  /** The id of the last one seen. */
  readonly after?: string;
}

export interface ResealedKeys {
  readonly keys: number;
  /** Ids of tokens whose key can't be opened; it stays as it is. */
  readonly unreadable: readonly TokenId[];
}

export interface TokenStore {
  /** The secret is returned this once and kept nowhere. */
  create(token: NewToken): Promise<NewSecret>;
  /** All of them or none, in this order. Their names must differ. */
  createAll(tokens: readonly NewToken[]): Promise<readonly NewSecret[]>;
  /** Null for unknown, revoked and expired alike; throws for a disabled one. Looked up by digest. */
  find(secret: string): Promise<FoundToken | null>;
  show(id: string): Promise<Token | null>;
  /** Opens the upstream key of a token's own, valid or not; null without one. */
  upstreamKey(id: string): Promise<string | null>;
  /** Oldest first. */
  list(query?: ListQuery): Promise<readonly Token[]>;
  /** The token as it is then, or null if there is none. A revoked one is refused. */
  update(id: string, changes: TokenChanges): Promise<Token | null>;
  /** Doing it again changes nothing. Null if there is none; a revoked one is refused. */
  disable(id: string): Promise<Token | null>;
  enable(id: string): Promise<Token | null>;
  /**
   * Gives it a new secret. The one it had is accepted for the grace; without a grace, all earlier ones end.
   * Null if there is no such token; a revoked one is refused.
   */
  rotate(id: string, graceMs: number | null): Promise<NewSecret | null>;
  /** False when there is no such token or it was revoked before. */
  revoke(id: string): Promise<boolean>;
  /** Encrypts the upstream keys of tokens that aren't revoked with the newest secret key again. */
  reseal(): Promise<ResealedKeys>;
}

export interface ImportedPrices {
  readonly added: number;
  readonly unchanged: number;
  /** Models whose newest price is not older than the offered one. */
  readonly skipped: readonly string[];
}

/** A price to be added. `since` is null for one that holds from now on. */
export type NewPrice = Omit<Price, "since"> & { readonly since: number | null };

/** Prices with their history. A change is a new entry and never touches what was. */
export interface PriceBook {
  /** Refused when the model already has a price from that moment or later. */
  set(price: NewPrice): Promise<void>;
  /** Newest first within a model; the whole history, or what holds at one moment. */
  list(query?: { readonly model?: string; readonly at?: number }): Promise<readonly Price[]>;
  /** By exact name, else by the name without the date of a snapshot. */
  priceOf(model: string, at: number): Promise<Price | null>;
  import(prices: readonly NewPrice[]): Promise<ImportedPrices>;
}

export type PayerKind = "visitor" | "own-key" | "token";

/** Who a row is written for. `keyDigest` is a keyed hash that the caller computed. */
export type Payer = Named<{
  readonly kind: PayerKind;
  readonly tokenId: string | null;
  readonly keyDigest: string | null;
}>;

export type TokenId = NonNullable<Payer["tokenId"]>;
export type KeyDigest = NonNullable<Payer["keyDigest"]>;

/** Where the token counts come from. Unknown: no counts, no cost. */
export type UsageSource = "reported" | "estimated" | "unknown";

/** What admission knows of a call, beside what the call's own record says. */
type AdmittedCall = Named<{
  /** When the call began. Milliseconds since 1970. */
  readonly at: number;
  readonly payer: Payer;
  readonly price: Price | null;
  readonly cost: Picodollars | null;
  /** What happens when the client leaves: "cancel" or "drain:30". */
  readonly onDisconnect: string;
}>;

/** One call as the ledger keeps it. Never content, never a key. */
export interface LedgerEntry
  extends AdmittedCall,
    Omit<CallRecord, "bucket" | "principal" | "streamed" | "refusedBy"> {}

/** What is known before the upstream is asked: enough for a row if the process dies. */
export interface ReserveRequest
  extends Pick<LedgerEntry, "requestId" | "at" | "dialect" | "model" | "onDisconnect"> {
  readonly token: Token;
  /** Estimated tokens of the whole call, prompt and answer. */
  readonly tokens: number;
  /** The same as money; 0n where the model has no price. */
  readonly money: Picodollars;
}

type OrNull<T> = { readonly [K in keyof T]: T[K] | null };

/** A stored row. Cost and price are exact decimals as text; unknown is null, never 0. */
export interface LedgerRow
  extends Omit<
      LedgerEntry,
      "payer" | "usage" | "units" | "price" | "cost" | "durationMs" | "tries"
    >,
    Pick<Payer, "tokenId" | "keyDigest">,
    OrNull<TokenCounts & Pick<LedgerEntry, "durationMs" | "tries">>,
    Named<{
      readonly id: string;
      readonly payerKind: PayerKind;
      /** In dollars per million tokens, as it was used: see `priceText`. */
      readonly price: string | null;
      readonly cost: string | null;
    }> {}

export interface PageQuery extends LedgerQuery {
  /** At most 1,000. */
  readonly limit?: number;
  /** Rows older than this one. */
  readonly before?: Pick<LedgerRow, "at" | "id">;
}

export interface LedgerSum {
  /** "2026-11-21", a model's name, or a token's id (null: visitors and own keys). */
  readonly key: string | null;
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly totalTokens: number;
  /** Null when no row has a cost. */
  readonly cost: string | null;
  /** Rows whose cost is unknown and so not in the sum. */
  readonly unknownCosts: number;
}

/** A row of the token agent's `GET /data/week`; the dialect turns the price into a number. */
export interface WeekRow {
  readonly remote_id: string | null;
  readonly model: string;
  readonly total_token: number;
  readonly price: string | null;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

export interface Ledger {
  /** Checks every quota and takes from each, or from none: one atomic step over all processes. */
  reserve(request: ReserveRequest): Promise<ReserveResult>;
  /**
   * Writes the row and, with a reservation, gives back what was not spent. Resolves when the row
   * is durable; while the database is away, after at most 1.3 s, and the row is written later. A
   * second settle of the same reservation changes nothing. Only an outcome of `refused` gives the
   * request itself back.
   */
  settle(entry: LedgerEntry, reservation: Reservation | null): Promise<void>;
  /** Settles what dead processes left open as interrupted and unknown; returns how many. */
  recover(): Promise<number>;
  /** What a token, or a group, has spent and holds reserved in the present periods. */
  used(tokenId: string): Promise<QuotaUse>;
  /** The part of it that open calls hold. */
  reserved(tokenId: string): Promise<QuotaUse>;
  /** Newest first. */
  rows(query?: PageQuery): Promise<readonly LedgerRow[]>;
  sums(by: "day" | "model" | "token", query?: LedgerQuery): Promise<readonly LedgerSum[]>;
  /** Newest first, at most 10,000. */
  week(tokenId: string): Promise<readonly WeekRow[]>;
  /**
   * Oldest first, in pages, so that a large export neither fills memory nor blocks writers. Throws at
   * its end if rows were deleted before it had come to them.
   */
  export(query?: LedgerQuery): AsyncIterable<LedgerRow>;
  /** Deletes rows from before this moment; returns how many. */
  purge(before: number): Promise<number>;
}
