import type {
  ListQuery,
  ResealedKeys,
  Token,
  TokenId,
  TokenStore,
} from "../../core/accounts/accounts.ts";
import type { Clock } from "../../core/ports.ts";
import { recordChanges } from "../changes/record.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import { pageSize } from "../driver/queries.ts";
import type { SecretBox } from "./secret-box.ts";
import { createTokenChanges } from "./token-changes.ts";
import { createTokenMaker } from "./token-creation.ts";
import { foundToken, type TokenLookup } from "./token-lookup.ts";
import { selectTokens, tokenOf } from "./token-row.ts";

const MAX_LISTED = 1_000;

export function createTokens(
  database: Database,
  clock: Clock,
  box: SecretBox,
  { find, forget }: TokenLookup,
): TokenStore {
  const { driver, builder } = database;
  const byId = selectTokens(builder);
  const createAll = createTokenMaker(database, clock, box);
  return {
    create: async (chosen) => {
      const [made] = await createAll([chosen]);
      if (made === undefined) throw new RangeError("one token makes one");
      return made;
    },
    createAll,
    find,
    show: async (id) => {
      if (!isStorable(id)) return null;
      const [row] = await driver.all(byId.where("tokens.id", "=", id).compile());
      return row === undefined ? null : tokenOf(row);
    },
    upstreamKey: async (id) => {
      const [row] = await driver.all(byId.where("tokens.id", "=", id).compile());
      return row === undefined ? null : foundToken(row, box).upstreamKey();
    },
    list: (wanted) => listTokens(database, wanted ?? {}),
    revoke: async (id) => {
      if (!isStorable(id)) return false;
      const nowMs = clock.wallMs();
      const update = builder
        .updateTable("tokens")
        .set({ revoked_at: nowMs })
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .returning("name")
        .compile();
      const revoked = await driver.transaction(function* (): Transaction<boolean> {
        const [row] = yield* query(update);
        if (row === undefined) return false;
        const revocation = { kind: "token", subject: id, action: "revoke", ...row } as const;
        yield* recordChanges(builder, nowMs, [{ ...revocation, before: {}, after: null }]);
        return true;
      });
      forget();
      return revoked;
    },
    ...createTokenChanges(database, clock, box, forget),
    reseal: () => resealKeys(database, box).finally(forget),
  };
}

async function listTokens(
  { driver, builder }: Database,
  { limit, after }: ListQuery,
): Promise<readonly Token[]> {
  // Ids sort by the time they were created.
  let tokens = selectTokens(builder).orderBy("tokens.id");
  if (after !== undefined) tokens = tokens.where("tokens.id", ">", isStorable(after) ? after : "");
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
