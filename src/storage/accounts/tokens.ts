import type {
  ListQuery,
  NewToken,
  ResealedKeys,
  Token,
  TokenId,
  TokenStore,
} from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import { pageSize } from "../driver/queries.ts";
import type { SecretBox } from "./secret-box.ts";
import { createTokenChanges } from "./token-changes.ts";
import { oneAtATime } from "./token-lock.ts";
import { createTokenLookup, foundToken } from "./token-lookup.ts";
import { requireFreeNames } from "./token-names.ts";
import { checkedKey, chosenColumns, tokenColumns, tokenOf } from "./token-row.ts";
import { newSecret } from "./token-secret.ts";

const MAX_LISTED = 1_000;

export function createTokens(database: Database, clock: Clock, box: SecretBox): TokenStore {
  const { driver, builder } = database;
  const byId = builder.selectFrom("tokens").select(tokenColumns);
  const { find, forget } = createTokenLookup(database, clock, box);
  return {
    create: (chosen) => createToken(database, clock.wallMs(), box, chosen),
    find,
    show: async (id) => {
      if (!isStorable(id)) return null;
      const [row] = await driver.all(byId.where("id", "=", id).compile());
      return row === undefined ? null : tokenOf(row);
    },
    upstreamKey: async (id) => {
      const [row] = await driver.all(byId.where("id", "=", id).compile());
      return row === undefined ? null : foundToken(row, box).upstreamKey();
    },
    list: (wanted) => listTokens(database, wanted ?? {}),
    revoke: async (id) => {
      if (!isStorable(id)) return false;
      const revoked = await driver.all(
        builder
          .updateTable("tokens")
          .set({ revoked_at: clock.wallMs() })
          .where("id", "=", id)
          .where("revoked_at", "is", null)
          .returning("id")
          .compile(),
      );
      forget();
      return revoked.length > 0;
    },
    ...createTokenChanges(database, clock, box, forget),
    reseal: () => resealKeys(database, box).finally(forget),
  };
}

async function createToken(database: Database, now: number, box: SecretBox, chosen: NewToken) {
  const { driver, builder } = database;
  const id = newId(now);
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
  await driver.transaction(function* () {
    yield* oneAtATime(database);
    yield* requireFreeNames(builder, [row.name], now);
    yield* query(builder.insertInto("tokens").values(row).compile());
    const use = { token_id: id, ...periodsAt(now) };
    yield* query(builder.insertInto("quota_use").values(use).compile());
  });
  return { token: tokenOf(row), secret };
}

async function listTokens(
  { driver, builder }: Database,
  { limit, after }: ListQuery,
): Promise<readonly Token[]> {
  // Ids sort by the time they were created.
  let tokens = builder.selectFrom("tokens").select(tokenColumns).orderBy("id");
  if (after !== undefined) tokens = tokens.where("id", ">", isStorable(after) ? after : "");
  return (await driver.all(tokens.limit(pageSize(limit, MAX_LISTED)).compile())).map(tokenOf);
}

/** Changes each key on its own, so that every key stays readable if this stops halfway. */
async function resealKeys({ driver, builder }: Database, box: SecretBox): Promise<ResealedKeys> {
  const sealed = builder
    .selectFrom("tokens")
    .select(["id", "upstream_key as key"])
    .where("revoked_at", "is", null);
  const unreadable: TokenId[] = [];
  let keys = 0;
  for (const { id, key } of await driver.all(sealed.compile())) {
    if (key === null || box.isCurrent(key)) continue;
    const text = openedOrNull(box, key, id);
    if (text === null) {
      unreadable.push(id);
      continue;
    }
    const update = builder.updateTable("tokens").set({ upstream_key: box.seal(text, id) });
    await driver.all(update.where("id", "=", id).where("upstream_key", "=", key).compile());
    keys++;
  }
  return { keys, unreadable };
}

function openedOrNull(box: SecretBox, sealed: string, id: TokenId): string | null {
  try {
    return box.open(sealed, id);
  } catch {
    return null;
  }
}
