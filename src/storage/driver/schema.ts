import type { ColumnType, Generated } from "kysely";
import type { Price } from "../../core/accounts/price.ts";
import type { QuotaKind, QuotaPeriod } from "../../core/accounts/quota.ts";
import type { StoredObject } from "../../core/accounts/stored-objects.ts";
import type { SnakeCase } from "../../core/named.ts";
import type { Change } from "../../core/reports/changes.ts";
import type { StoredReservation } from "../accounts/reservations.ts";
import type { StoredRow } from "../ledger/columns.ts";

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
  disabled_at: number | null;
  /** Until when an earlier secret is accepted, too: the last of `token_secrets`. */
  grace_until: number | null;
  /** JSON, since they are only read and written whole. */
  models: string | null;
  limits: string;
  quotas: string;
  tokens_per_minute: number | null;
  concurrency: number | null;
  group_id: string | null;
  /** Encrypted; see secret-box.ts. */
  upstream_key: string | null;
}

/** Earlier secrets of tokens that are accepted for a while. */
export interface TokenSecretTable {
  digest: string;
  token_id: string;
  ends_at: number;
}

export interface TokenGroupTable {
  id: string;
  name: string;
  comment: string;
  created_at: number;
  /** JSON, as for tokens. */
  quotas: string;
}

/** One row per token, and per group. A period that is over is reset by the next reservation. */
export type QuotaUseTable = { token_id: string } & Record<QuotaPeriod, number> &
  Record<`${QuotaPeriod}_${Exclude<QuotaKind, "money">}`, Generated<number>> &
  Record<`${QuotaPeriod}_money`, ColumnType<string, bigint | undefined, bigint>>;

/** Calls that hold a place in a quota and are not settled yet: see accounts/reservations.ts. */
export type ReservationTable = SnakeCase<Omit<StoredReservation, "money">> & { money: Money };

/** One row per running process; `seen_at` is its heartbeat. */
export interface InstanceTable {
  id: string;
  instance: string | null;
  started_at: number;
  seen_at: number;
  /** See ledger/instance-facts.ts. */
  facts: string | null;
}

/** Calls that wait for their usage. `call` is JSON, since it is only read and written whole. */
export interface BackgroundAnswerTable {
  id: string;
  due_at: number;
  call: string;
}

export type LedgerTable = SnakeCase<Omit<StoredRow, "cost">> & {
  cost: ColumnType<string | null, bigint | null, bigint | null>;
};

export interface ConversationTable {
  id: string;
  owner: string;
  /** What a name is looked up by: see conversations/sealing.ts. Null: not a chat. */
  name_key: string | null;
  /** These two are sealed or encoded: see conversations/sealing.ts. */
  name: string | null;
  system_prompt: string | null;
  created_at: number;
  expires_at: number;
  /** Each use moves the expiry by this much. */
  lifetime_ms: number;
  /** The newest turn. */
  leaf_id: string | null;
  turns: number;
  bytes: number;
  claim_id: string | null;
  claim_until: number | null;
  /** Whose share of the room it takes, as a digest; null: it takes none. */
  room: string | null;
  room_bytes: number;
}

/** A row never changes. It is deleted only together with all turns of its conversation. */
export interface TurnTable {
  conversation_id: string;
  /** The answer's message id; the question's is derived from it. */
  id: string;
  parent_id: string | null;
  /** 1 for a first question. */
  depth: number;
  /** In both texts, so that a window is chosen without reading the texts outside it. */
  characters: number;
  created_at: number;
  state: string;
  question: string;
  answer: string;
}

/** How many conversations an owner has, including expired ones that are not swept yet. */
export interface ConversationCountTable {
  owner: string;
  conversations: number;
}

/** What conversations take of the room for owners that cost nothing: each share, and all. */
export interface ConversationRoomTable {
  room: string;
  bytes: number;
}

/** Owners whose key the upstream has accepted. */
export interface AcceptedOwnerTable {
  owner: string;
  accepted_at: number;
}

/** An upstream that the operator keeps; see routing/upstream-row.ts. */
export interface UpstreamTable {
  name: string;
  kind: string;
  url: string;
  /** JSON, as `header_names`. */
  models: string;
  concurrency: number | null;
  answer_seconds: number | null;
  first_token_seconds: number | null;
  /** Keys, headers and proxy, encrypted; null: there are none. */
  secrets: string | null;
  /** These three show what is in the secrets, without any. */
  key_count: number;
  header_names: string;
  proxy: string | null;
  created_at: number;
}

/** Who answers for a model. `stages` is JSON, since it is only read and written whole. */
export interface RouteTable {
  model: string;
  stages: string;
}

/** What upstreams keep for tokens: see accounts/stored-objects.ts. */
export type StoredObjectTable = SnakeCase<StoredObject> & { created_at: number };

/** Alerts that were told, or wait for it: see alerts/alerts.ts. */
export interface AlertTable {
  subject: string;
  mark: number;
  ends_at: number;
  id: string;
  body: string;
  /** Null: delivered, given up, or nobody is to be told. */
  due_at: number | null;
  tries: number;
}

/** Networks that a token was seen from on a day since 1970, by keyed digests. */
export interface TokenNetworkTable {
  token_id: string;
  day: number;
  network: string;
}

/** Calls of an hour since 1970 by what became of them: see core/reports/call-counts.ts. */
export interface CallCountTable {
  hour: number;
  name: string;
  calls: number;
}

/** The newest alerts, whoever was told. `facts` is JSON. */
export interface ToldAlertTable {
  id: string;
  at: number;
  event: string;
  subject: string;
  facts: string;
}

/** What operators have changed: see changes/record.ts. */
export type ChangeTable = { -readonly [Field in keyof Change]: Change[Field] };

export interface SettingTable {
  name: string;
  value: string;
}

export interface Tables {
  conversations: ConversationTable;
  turns: TurnTable;
  conversation_counts: ConversationCountTable;
  conversation_rooms: ConversationRoomTable;
  accepted_owners: AcceptedOwnerTable;
  settings: SettingTable;
  stored_objects: StoredObjectTable;
  tokens: TokenTable;
  token_secrets: TokenSecretTable;
  token_groups: TokenGroupTable;
  alerts: AlertTable;
  told_alerts: ToldAlertTable;
  call_counts: CallCountTable;
  changes: ChangeTable;
  token_networks: TokenNetworkTable;
  quota_use: QuotaUseTable;
  reservations: ReservationTable;
  background_answers: BackgroundAnswerTable;
  owners: InstanceTable;
  ledger: LedgerTable;
  prices: SnakeCase<Price>;
  upstreams: UpstreamTable;
  routes: RouteTable;
}
