import { setImmediate } from "node:timers/promises";
import { type RawBuilder, sql } from "kysely";
import type { Clock } from "../../core/ports.ts";
import type {
  TokenCondition,
  TokenPage,
  TokenPlace,
  TokenQuery,
} from "../../core/reports/token-search.ts";
import { type StoredToken, selectTokens, tokenOf } from "../accounts/token-row.ts";
import type { Database } from "../driver/database.ts";
import { pageSize } from "../driver/queries.ts";

const MAX_FOUND = 1_000;
/** Tokens that one search reads; the next page goes on from there. */
const MAX_SCANNED = 20_000;
const SCANNED_AT_ONCE = 500;

/** Texts are compared here, since the databases know the cases of different letters. */
export function createTokenSearch(database: Database, { wallMs }: Pick<Clock, "wallMs">) {
  const read = pageReader(database);
  return async (query: TokenQuery): Promise<TokenPage> => {
    const limit = pageSize(query.limit, MAX_FOUND);
    const atOnce = query.text === undefined ? limit + 1 : SCANNED_AT_ONCE;
    const matches = matcher(query.text);
    const nowMs = wallMs();
    const found: StoredToken[] = [];
    let place = query.after ?? null;
    for (let scanned = 0; scanned < MAX_SCANNED; scanned += atOnce) {
      const rows = await read(query, { place, limit: atOnce, nowMs });
      found.push(...rows.filter(matches));
      if (found.length > limit) return firstOf(found.slice(0, limit), query);
      if (rows.length < atOnce) return { tokens: found.map(tokenOf), next: null };
      place = placeOf(rows.at(-1), query);
      // SQLite is synchronous: calls come between
      await setImmediate();
    }
    return { tokens: found.map(tokenOf), next: place };
  };
}

function firstOf(found: readonly StoredToken[], query: TokenQuery): TokenPage {
  return { tokens: found.map(tokenOf), next: placeOf(found.at(-1), query) };
}

interface Page {
  readonly place: TokenPlace | null;
  readonly limit: number;
  readonly nowMs: number;
}

function pageReader({ driver, builder }: Database) {
  // equal in both databases: by bytes, with A to Z as a to z
  const name: RawBuilder<string> =
    driver.kind === "sqlite"
      ? sql`lower(tokens.name)`
      : sql`lower(tokens.name collate "C") collate "C"`;
  return ({ order, state, group }: TokenQuery, { place, limit, nowMs }: Page) => {
    let tokens = selectTokens(builder).limit(limit);
    if (state !== undefined) tokens = tokens.where(isInState(state, nowMs));
    if (group !== undefined) tokens = tokens.where("token_groups.name", "=", group);
    if (place !== null) tokens = tokens.where(isBeyond(place, name));
    if (order === "name") tokens = tokens.orderBy(name);
    // ids sort by the time they were created
    const sorted = tokens.orderBy("tokens.id", order === "newest" ? "desc" : "asc");
    return driver.report<StoredToken>(sorted.compile());
  };
}

function isBeyond({ order, id, name }: TokenPlace, nameOf: RawBuilder<string>) {
  if (order === "newest") return sql<boolean>`tokens.id < ${id}`;
  if (order === "oldest") return sql<boolean>`tokens.id > ${id}`;
  const ended = sql`(cast(${name} as text), cast(${id} as text))`;
  return sql<boolean>`(${nameOf}, tokens.id) > ${ended}`;
}

function isInState(state: TokenCondition, nowMs: number): RawBuilder<boolean> {
  const lives = sql`tokens.revoked_at is null`;
  const expired = sql`coalesce(tokens.expires_at <= ${nowMs}, false)`;
  switch (state) {
    case "revoked":
      return sql`tokens.revoked_at is not null`;
    case "expired":
      return sql`${lives} and ${expired}`;
    case "disabled":
      return sql`${lives} and not ${expired} and tokens.disabled_at is not null`;
    case "valid":
      return sql`${lives} and not ${expired} and tokens.disabled_at is null`;
  }
}

function matcher(text: string | undefined): (row: StoredToken) => boolean {
  if (text === undefined) return () => true;
  const wanted = folded(text);
  return ({ name, comment, hint, id }) =>
    [name, comment, hint, id].some((one) => folded(one).includes(wanted));
}

function folded(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

function placeOf(row: StoredToken | undefined, { order }: TokenQuery): TokenPlace | null {
  if (row === undefined) return null;
  const sorted = row.name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  return { order, id: row.id, name: order === "name" ? sorted : "" };
}
