import { sql } from "kysely";
import type { Token, TokenStore } from "../../core/accounts/accounts.ts";
import { type TokenChanges, withChanges } from "../../core/accounts/token-options.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { tokenFacts } from "../changes/facts.ts";
import { type NewChange, recordChanges } from "../changes/record.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { TokenTable } from "../driver/schema.ts";
import { chosenGroup } from "./group-row.ts";
import type { SecretBox } from "./secret-box.ts";
import { oneAtATime } from "./token-lock.ts";
import { requireFreeNames } from "./token-names.ts";
import { checkedKey, chosenColumns, type StoredToken, selectTokens, tokenOf } from "./token-row.ts";
import { newSecret } from "./token-secret.ts";

/** Changes of tokens that are there. */
export function createTokenChanges(
  database: Database,
  clock: Pick<Clock, "wallMs">,
  box: SecretBox,
  /** Called after each change. */
  forget: () => void,
): Pick<TokenStore, "update" | "disable" | "enable" | "rotate"> {
  const { driver, builder } = database;
  /** Nothing else changes the token meanwhile, except that it may be revoked. */
  const change = async (
    id: string,
    action: TokenAction,
    columnsOf: (row: StoredToken) => Partial<TokenTable>,
    before?: (row: StoredToken) => Transaction<Partial<TokenTable>>,
  ): Promise<Token | null> => {
    if (!isStorable(id)) return null;
    const changed = driver.transaction(function* () {
      yield* oneAtATime(database);
      const found = selectTokens(builder).where("tokens.id", "=", id).compile();
      const [row] = yield* query(found);
      if (row === undefined) return null;
      if (row.revoked_at !== null) throw new ProxyError("token_revoked");
      const also = before === undefined ? {} : yield* before(row);
      const set = { ...columnsOf(row), ...also };
      yield* query(builder.updateTable("tokens").set(set).where("id", "=", id).compile());
      const [changed] = yield* query(found);
      if (changed === undefined) return null;
      yield* recordChanges(builder, clock.wallMs(), [tokenChange(action, row, changed)]);
      return tokenOf(changed);
    });
    return changed.finally(forget);
  };
  return {
    update: (id, changes) => {
      const chosen = (row: StoredToken) => chosenColumns(withChanges(tokenOf(row), changes));
      return change(
        id,
        "update",
        (row) => ({ ...chosen(row), ...sealedKey(box, changes, id) }),
        (row) =>
          checkedUpdate(builder, { row, changes, after: chosen(row), nowMs: clock.wallMs() }),
      );
    },
    disable: (id) =>
      change(id, "disable", (row) => ({ disabled_at: row.disabled_at ?? clock.wallMs() })),
    enable: (id) => change(id, "enable", () => ({ disabled_at: null })),
    rotate: async (id, graceMs) => {
      const { secret, ...stored } = newSecret();
      const nowMs = clock.wallMs();
      const endsAt = graceMs === null ? null : nowMs + graceMs;
      const token = await change(
        id,
        "rotate",
        ({ grace_until: until }) => ({
          ...stored,
          grace_until: endsAt === null ? null : Math.max(endsAt, until ?? 0),
        }),
        () => (endsAt === null ? endEarlier(builder, id) : keepEarlier(builder, id, endsAt, nowMs)),
      );
      return token === null ? null : { token, secret };
    },
  };
}

type TokenAction = "update" | "rotate" | "disable" | "enable";

/** That a secret changed is said without it. */
function tokenChange(action: TokenAction, before: StoredToken, after: StoredToken): NewChange {
  const changed = {
    ...(before.upstream_key === after.upstream_key ? {} : { upstream_key: "changed" }),
    ...(action === "rotate" && { secret: "changed" }),
  };
  return {
    ...{ kind: "token", subject: after.id, action, name: after.name },
    before: tokenFacts(tokenOf(before)),
    after: { ...tokenFacts(tokenOf(after)), ...changed },
  };
}

interface Update {
  readonly row: StoredToken;
  readonly changes: TokenChanges;
  readonly after: ReturnType<typeof chosenColumns>;
  readonly nowMs: number;
}

/** Refuses a name that is taken, and returns the column of the group that was named. */
function* checkedUpdate(
  builder: Builder,
  { row, changes, after, nowMs }: Update,
): Transaction<Partial<TokenTable>> {
  const { name, expires_at } = after;
  const comesToLife = hasExpired(row.expires_at, nowMs) && !hasExpired(expires_at, nowMs);
  if (name !== row.name || comesToLife) yield* requireFreeNames(builder, [name], nowMs, row.id);
  if (changes.group === undefined) return {};
  return { group_id: (yield* chosenGroup(builder, changes.group))?.id ?? null };
}

function* endEarlier(builder: Builder, id: string): Transaction<Partial<TokenTable>> {
  yield* query(builder.deleteFrom("token_secrets").where("token_id", "=", id).compile());
  return {};
}

/** Keeps the secret that the token has now, and drops those of all tokens that have ended. */
function* keepEarlier(
  builder: Builder,
  id: string,
  endsAt: number,
  nowMs: number,
): Transaction<Partial<TokenTable>> {
  yield* query(builder.deleteFrom("token_secrets").where("ends_at", "<=", nowMs).compile());
  const present = builder
    .selectFrom("tokens")
    .select(["digest", "id", sql<number>`cast(${endsAt} as bigint)`.as("ends_at")])
    .where("id", "=", id);
  const kept = builder.insertInto("token_secrets").columns(["digest", "token_id", "ends_at"]);
  yield* query(kept.expression(present).compile());
  return {};
}

function hasExpired(expiresAt: number | null, nowMs: number): boolean {
  return expiresAt !== null && expiresAt <= nowMs;
}

function sealedKey(box: SecretBox, { upstreamKey: key }: TokenChanges, id: string) {
  if (key === undefined) return {};
  return { upstream_key: key === null ? null : box.seal(checkedKey(key), id) };
}
