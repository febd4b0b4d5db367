import type { KeyDigest, TokenId } from "./accounts.ts";

export type StoredKind = "response" | "conversation";

/** What the service keeps for a token: it belongs to the account of a key, which tokens may share. */
export interface StoredObject {
  /** Of its id, keyed. */
  readonly digest: string;
  readonly kind: StoredKind;
  readonly tokenId: TokenId;
  /** The name of the upstream that keeps it. */
  readonly upstream: string;
  /** Of the token's own key; null: the operator's was used. */
  readonly keyDigest: KeyDigest | null;
}

/** Knows whose what is. An id that a service gives again belongs to who got it last. */
export interface StoredObjects {
  /**
   * Known from now on, and durable when this resolves. Without the database it resolves after 1.3 s and is
   * tried again.
   */
  keep(object: StoredObject): Promise<void>;
  find(digest: string): Promise<StoredObject | null>;
  remove(digest: string): Promise<void>;
  /** Of one token, up to a bound. */
  conversations(tokenId: TokenId): Promise<{ readonly count: number; readonly max: number }>;
  /** Forgets responses that services have forgotten. */
  sweep(): Promise<void>;
}
