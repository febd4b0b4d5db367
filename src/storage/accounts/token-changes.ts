import type { Token, TokenStore } from "../../core/accounts/accounts.ts";
import { withChanges } from "../../core/accounts/token-options.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query } from "../driver/driver.ts";
import type { SecretBox } from "./secret-box.ts";
import { oneAtATime } from "./token-lock.ts";
import { checkedKey, chosenColumns, type StoredToken, tokenColumns, tokenOf } from "./token-row.ts";

/** Changes of tokens that are there. */
export function createTokenChanges(
  database: Database,
  clock: Pick<Clock, "wallMs">,
  box: SecretBox,
  /** Called after each change. */
  forget: () => void,
): Pick<TokenStore, "update" | "disable" | "enable"> {
  const { driver, builder } = database;
  /** Nothing else changes the token meanwhile, except that it may be revoked. */
  const change = async (
    id: string,
    columnsOf: (row: StoredToken) => Partial<StoredToken>,
  ): Promise<Token | null> => {
    if (!isStorable(id)) return null;
    const changed = driver.transaction(function* () {
      yield* oneAtATime(database);
      const found = builder.selectFrom("tokens").select(tokenColumns).where("id", "=", id);
      const [row] = yield* query(found.compile());
      if (row === undefined) return null;
      if (row.revoked_at !== null) throw new ProxyError("token_revoked");
      const set = columnsOf(row);
      yield* query(builder.updateTable("tokens").set(set).where("id", "=", id).compile());
      return tokenOf({ ...row, ...set });
    });
    return changed.finally(forget);
  };
  return {
    update: (id, changes) =>
      change(id, (row) => {
        const { upstreamKey } = changes;
        return {
          ...chosenColumns(withChanges(tokenOf(row), changes)),
          ...(upstreamKey === undefined ? {} : { upstream_key: sealed(box, upstreamKey, id) }),
        };
      }),
    disable: (id) => change(id, (row) => ({ disabled_at: row.disabled_at ?? clock.wallMs() })),
    enable: (id) => change(id, () => ({ disabled_at: null })),
  };
}

function sealed(box: SecretBox, key: string | null, id: string): string | null {
  return key === null ? null : box.seal(checkedKey(key), id);
}
