import type { ColumnType, Generated } from "kysely";

/**
 * Tables as both databases have them. Times are milliseconds since 1970 (UTC). Money is whole
 * picodollars in 64 bits: written as bigint, read only through `cast(... as text)`, because
 * neither driver gives a number that large back exactly.
 */
type Money = ColumnType<string, bigint, bigint>;

export interface TokenTable {
  id: string;
  name: string;
  comment: string;
  /** SHA-256 of the secret. The secret itself has 190 random bits, so no salt is needed. */
  digest: string;
  hint: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  /** JSON, because they are only ever read and written whole. */
  models: string | null;
  limits: string;
  quotas: string;
  /** Encrypted; see secrets.ts. */
  upstream_key: string | null;
}

/** One row a token. A period that is over is reset by the next reservation. */
export interface QuotaUseTable {
  token_id: string;
  day: number;
  day_requests: Generated<number>;
  day_tokens: Generated<number>;
  day_money: ColumnType<string, bigint | undefined, bigint>;
  month: number;
  month_requests: Generated<number>;
  month_tokens: Generated<number>;
  month_money: ColumnType<string, bigint | undefined, bigint>;
}

/** Calls that hold a place in a quota and are not settled: the open state of a ledger row. */
export interface ReservationTable {
  /** Becomes the id of the ledger row. */
  id: string;
  owner: string;
  token_id: string;
  at: number;
  day: number;
  month: number;
  tokens: number;
  money: Money;
  request_id: string;
  dialect: string;
  model: string;
  on_disconnect: string;
}

/** One row a running process; `seen_at` is its heartbeat. */
export interface OwnerTable {
  id: string;
  instance: string | null;
  started_at: number;
  seen_at: number;
}

export interface LedgerTable {
  id: string;
  /** `settled` by the process that made the call, or `recovered` after its death. */
  state: "settled" | "recovered";
  request_id: string;
  at: number;
  payer_kind: string;
  token_id: string | null;
  key_digest: string | null;
  dialect: string;
  model: string;
  answered_by: string | null;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  cached_tokens: number | null;
  total_tokens: number | null;
  price: string | null;
  cost: ColumnType<string | null, bigint | null, bigint | null>;
  provenance: string;
  outcome: string;
  on_disconnect: string;
  status: number | null;
  error: string | null;
  first_token_ms: number | null;
  duration_ms: number | null;
  upstream_id: string | null;
}

export interface PriceTable {
  model: string;
  since: number;
  input: string;
  cached_input: string | null;
  output: string;
}

export interface ConversationTable {
  id: string;
  owner: string;
  /** What a name is looked up by: see conversation-names.ts. Null: not a chat. */
  name_key: string | null;
  /** These two as content-codec.ts writes them. */
  name: string | null;
  system_prompt: string | null;
  created_at: number;
  expires_at: number;
  /** By how much use moves the expiry. */
  lifetime_ms: number;
  /** The newest turn. */
  leaf_id: string | null;
  turns: number;
  bytes: number;
  claim_id: string | null;
  claim_until: number | null;
}

/** Never changed once written; deleted only together with all turns of the conversation. */
export interface TurnTable {
  conversation_id: string;
  /** The answer's message id; the question's is derived from it. */
  id: string;
  parent_id: string | null;
  /** 1 for a first question. */
  depth: number;
  /** Of both texts, so that a window is chosen without reading what is outside it. */
  characters: number;
  created_at: number;
  state: string;
  question: string;
  answer: string;
}

/** How many conversations an owner has, expired ones too until they are swept. */
export interface ConversationCountTable {
  owner: string;
  conversations: number;
}

export interface SettingTable {
  name: string;
  value: string;
}

export interface Tables {
  conversations: ConversationTable;
  turns: TurnTable;
  conversation_counts: ConversationCountTable;
  settings: SettingTable;
  tokens: TokenTable;
  quota_use: QuotaUseTable;
  reservations: ReservationTable;
  owners: OwnerTable;
  ledger: LedgerTable;
  prices: PriceTable;
}
