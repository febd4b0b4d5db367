import type { NewToken } from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { NewSecret } from "../../core/accounts/token-options.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { query } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import type { SecretBox } from "./secret-box.ts";
import { oneAtATime } from "./token-lock.ts";
import { requireFreeNames } from "./token-names.ts";
import { checkedKey, chosenColumns, tokenOf } from "./token-row.ts";
import { newSecret } from "./token-secret.ts";

/** Creates all of the tokens or none. Their names differ. */
export function createTokenMaker(database: Database, clock: Pick<Clock, "wallMs">, box: SecretBox) {
  const { driver, builder } = database;
  return async (chosen: readonly NewToken[]): Promise<readonly NewSecret[]> => {
    const now = clock.wallMs();
    // sorted, since tokens are listed by their ids
    const ids = chosen.map(() => newId(now)).toSorted();
    const made = ids.flatMap((id, at) => {
      const one = chosen[at];
      return one === undefined ? [] : [newRow(one, id, now, box)];
    });
    const rows = made.map(({ row }) => row);
    const uses = ids.map((token_id) => ({ token_id, ...periodsAt(now) }));
    await driver.transaction(function* () {
      yield* oneAtATime(database);
      yield* requireFreeNames(
        builder,
        rows.map(({ name }) => name),
        now,
      );
      yield* query(builder.insertInto("tokens").values(rows).compile());
      yield* query(builder.insertInto("quota_use").values(uses).compile());
    });
    return made.map(({ row, secret }) => ({ token: tokenOf(row), secret }));
  };
}

function newRow(chosen: NewToken, id: string, now: number, box: SecretBox) {
  const { secret, ...stored } = newSecret();
  const key = chosen.upstreamKey ?? null;
  const row = {
    ...chosenColumns(chosen),
    id,
    ...stored,
    created_at: now,
    revoked_at: null,
    disabled_at: null,
    grace_until: null,
    upstream_key: key === null ? null : box.seal(checkedKey(key), id),
  };
  return { row, secret };
}
