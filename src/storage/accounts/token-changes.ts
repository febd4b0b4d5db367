import { sql } from "kysely";
import type { Token, TokenStore } from "../../core/accounts/accounts.ts";
import { withChanges } from "../../core/accounts/token-options.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { TokenTable } from "../driver/schema.ts";
import type { SecretBox } from "./secret-box.ts";
import { oneAtATime } from "./token-lock.ts";
import { requireFreeNames } from "./token-names.ts";
import { checkedKey, chosenColumns, type StoredToken, tokenColumns, tokenOf } from "./token-row.ts";
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
    columnsOf: (row: StoredToken) => Partial<TokenTable>,
    before?: (row: StoredToken) => Transaction<void>,
  ): Promise<Token | null> => {
    if (!isStorable(id)) return null;
    const changed = driver.transaction(function* () {
      yield* oneAtATime(database);
      const found = builder.selectFrom("tokens").select(tokenColumns).where("id", "=", id);
      const [row] = yield* query(found.compile());
      if (row === undefined) return null;
      if (row.revoked_at !== null) throw new ProxyError("token_revoked");
      if (before !== undefined) yield* before(row);
      const set = columnsOf(row);
      yield* query(builder.updateTable("tokens").set(set).where("id", "=", id).compile());
      return tokenOf({ ...row, ...set });
    });
    return changed.finally(forget);
  };
  return {
    update: (id, changes) => {
      const { upstreamKey } = changes;
      const chosen = (row: StoredToken) => chosenColumns(withChanges(tokenOf(row), changes));
      return change(
        id,
        (row) => ({
          ...chosen(row),
          ...(upstreamKey === undefined ? {} : { upstream_key: sealed(box, upstreamKey, id) }),
        }),
        function* (row) {
          const { name, expires_at } = chosen(row);
          const nowMs = clock.wallMs();
          const comesToLife = hasExpired(row.expires_at, nowMs) && !hasExpired(expires_at, nowMs);
          if (name === row.name && !comesToLife) return;
          yield* requireFreeNames(builder, [name], nowMs, id);
        },
      );
    },
    disable: (id) => change(id, (row) => ({ disabled_at: row.disabled_at ?? clock.wallMs() })),
    enable: (id) => change(id, () => ({ disabled_at: null })),
    rotate: async (id, graceMs) => {
      const { secret, ...stored } = newSecret();
      const nowMs = clock.wallMs();
      const endsAt = graceMs === null ? null : nowMs + graceMs;
      const token = await change(
        id,
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

function* endEarlier(builder: Builder, id: string): Transaction<void> {
  yield* query(builder.deleteFrom("token_secrets").where("token_id", "=", id).compile());
}

/** Keeps the secret that the token has now, and drops those of all tokens that have ended. */
function* keepEarlier(
  builder: Builder,
  id: string,
  endsAt: number,
  nowMs: number,
): Transaction<void> {
  yield* query(builder.deleteFrom("token_secrets").where("ends_at", "<=", nowMs).compile());
  const present = builder
    .selectFrom("tokens")
    .select(["digest", "id", sql<number>`cast(${endsAt} as bigint)`.as("ends_at")])
    .where("id", "=", id);
  const kept = builder.insertInto("token_secrets").columns(["digest", "token_id", "ends_at"]);
  yield* query(kept.expression(present).compile());
}

function hasExpired(expiresAt: number | null, nowMs: number): boolean {
  return expiresAt !== null && expiresAt <= nowMs;
}

function sealed(box: SecretBox, key: string | null, id: string): string | null {
  return key === null ? null : box.seal(checkedKey(key), id);
}
