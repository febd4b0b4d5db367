import type {
  FoundToken,
  ListQuery,
  NewToken,
  ResealedKeys,
  Token,
  TokenId,
  TokenStore,
} from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import { pageSize, prepare } from "../driver/queries.ts";
import type { SecretBox } from "./secret-box.ts";
import { createTokenCache } from "./token-cache.ts";
import { createTokenChanges } from "./token-changes.ts";
import { checkedKey, chosenColumns, type StoredToken, tokenColumns, tokenOf } from "./token-row.ts";
import { createTokenSecret, isTokenSecret, tokenDigest } from "./token-secret.ts";

const MAX_LISTED = 1_000;
const HINT_CHARACTERS = 4;

export function createTokens(database: Database, clock: Clock, box: SecretBox): TokenStore {
  const { driver, builder } = database;
  const byDigest = prepare<{ digest: string }, StoredToken>(({ text }) =>
    builder.selectFrom("tokens").select(tokenColumns).where("digest", "=", text("digest")),
  );
  const byId = builder.selectFrom("tokens").select(tokenColumns);
  const cache = createTokenCache<FoundToken>(driver);
  return {
    create: (chosen) => createToken(database, clock.wallMs(), box, chosen),
    find: async (secret) => {
      // A wrong form or checksum needs no lookup.
      if (!isTokenSecret(secret)) return null;
      const digest = tokenDigest(secret);
      let found = cache.get(digest);
      if (found === undefined) {
        const [row] = await driver.all(byDigest({ digest }));
        if (row === undefined) return null;
        found = foundToken(row, box);
        cache.keep(digest, found);
      }
      if (!isValid(found.token, clock.wallMs())) return null;
      if (found.token.disabledAt !== null) throw new ProxyError("token_disabled");
      return found;
    },
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
      cache.forget();
      return revoked.length > 0;
    },
    ...createTokenChanges(database, clock, box, cache.forget),
    reseal: () => resealKeys(database, box).finally(cache.forget),
  };
}

function foundToken(row: StoredToken, box: SecretBox): FoundToken {
  const { id, upstream_key: sealed } = row;
  return {
    token: tokenOf(row),
    upstreamKey: () => (sealed === null ? null : box.open(sealed, id)),
  };
}

function isValid({ revokedAt, expiresAt }: Token, nowMs: number): boolean {
  return revokedAt === null && (expiresAt === null || nowMs < expiresAt);
}

async function createToken(
  { driver, builder }: Database,
  now: number,
  box: SecretBox,
  chosen: NewToken,
) {
  const id = newId(now);
  const secret = createTokenSecret();
  const key = chosen.upstreamKey ?? null;
  const row = {
    ...chosenColumns(chosen),
    id,
    digest: tokenDigest(secret),
    hint: secret.slice(-HINT_CHARACTERS),
    created_at: now,
    revoked_at: null,
    disabled_at: null,
    grace_until: null,
    upstream_key: key === null ? null : box.seal(checkedKey(key), id),
  };
  await driver.transaction(function* () {
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
