import type { NewToken } from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { NewSecret } from "../../core/accounts/token-options.ts";
import type { Clock } from "../../core/ports.ts";
import { tokenFacts } from "../changes/facts.ts";
import { type NewChange, recordChanges } from "../changes/record.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import type { Builder } from "../driver/queries.ts";
import { chosenGroup, type StoredGroup } from "./group-row.ts";
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
    const names = made.map(({ row }) => row.name);
    const uses = ids.map((token_id) => ({ token_id, ...periodsAt(now) }));
    return driver.transaction(function* () {
      yield* oneAtATime(database);
      yield* requireFreeNames(builder, names, now);
      const groups = yield* groupsOf(builder, chosen);
      const grouped = made.map(({ row, group, secret }) => {
        const found = groups.get(group) ?? null;
        return { row: { ...row, group_id: found?.id ?? null }, found, secret };
      });
      const rows = grouped.map(({ row }) => row);
      yield* query(builder.insertInto("tokens").values(rows).compile());
      yield* query(builder.insertInto("quota_use").values(uses).compile());
      const tokens = grouped.map(({ row, found, secret }) => {
        const shared = { group_name: found?.name ?? null, group_quotas: found?.quotas ?? null };
        return { token: tokenOf({ ...row, ...shared }), secret };
      });
      yield* recordChanges(builder, now, tokens.map(createdChange));
      return tokens;
    });
  };
}

function createdChange({ token }: NewSecret): NewChange {
  const { id, name } = token;
  const after = tokenFacts(token);
  return { kind: "token", subject: id, action: "create", name, before: null, after };
}

type GroupName = NonNullable<NewToken["group"]>;

/** The groups that the tokens name. */
function* groupsOf(
  builder: Builder,
  chosen: readonly NewToken[],
): Transaction<ReadonlyMap<GroupName | null, StoredGroup | null>> {
  const groups = new Map<GroupName | null, StoredGroup | null>();
  for (const name of new Set(chosen.map(({ group }) => group ?? null))) {
    groups.set(name, yield* chosenGroup(builder, name));
  }
  return groups;
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
  return { row, group: chosen.group ?? null, secret };
}
