import type {
  FoundToken,
  ListQuery,
  NewToken,
  Token,
  TokenStore,
} from "../../core/accounts/accounts.ts";
import { periodsAt } from "../../core/accounts/quota.ts";
import type { Clock } from "../../core/ports.ts";
import { ask, type Driver } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { isStorable } from "../driver/text.ts";
import type { SecretBox } from "./secret-box.ts";
import { createTokenCache } from "./token-cache.ts";
import { checkedKey, chosenColumns, type StoredToken, tokenColumns, tokenOf } from "./token-row.ts";
import { createTokenSecret, isTokenSecret, tokenDigest } from "./token-secret.ts";

interface TokenParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly clock: Clock;
  readonly newId: (wallMs: number) => string;
  readonly box: SecretBox;
}

const maxListed = 1_000;
const hintCharacters = 4;

export function createTokens(parts: TokenParts): TokenStore {
  const { driver, builder, clock, box } = parts;
  const byDigest = prepare<{ digest: string }, StoredToken>(({ text }) =>
    builder.selectFrom("tokens").select(tokenColumns).where("digest", "=", text("digest")),
  );
  const byId = builder.selectFrom("tokens").select(tokenColumns);
  const cache = createTokenCache<FoundToken>(driver);
  return {
    create: (token) => createToken(parts, token),
    find: async (secret) => {
      // Wrong form or checksum: not worth a look-up.
      if (!isTokenSecret(secret)) return null;
      const digest = tokenDigest(secret);
      let found = cache.get(digest);
      if (found === undefined) {
        const [row] = await driver.all(byDigest({ digest }));
        if (row === undefined) return null;
        found = foundToken(row, box);
        cache.keep(digest, found);
      }
      return isValid(found.token, clock.wallMs()) ? found : null;
    },
    show: async (id) => {
      if (!isStorable(id)) return null;
      const [row] = await driver.all<StoredToken>(byId.where("id", "=", id).compile());
      return row === undefined ? null : tokenOf(row);
    },
    list: (query) => listTokens(parts, query ?? {}),
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
    reseal: () => resealKeys(parts).finally(cache.forget),
  };
}

function foundToken(row: StoredToken, box: SecretBox): FoundToken {
  const { id, upstream_key: sealed } = row;
  const upstreamKey = () => (sealed === null ? null : box.open(sealed, id));
  return { token: tokenOf(row), upstreamKey };
}

function isValid({ revokedAt, expiresAt }: Token, nowMs: number): boolean {
  return revokedAt === null && (expiresAt === null || nowMs < expiresAt);
}

async function createToken(parts: TokenParts, chosen: NewToken) {
  const { driver, builder, clock, newId, box } = parts;
  const now = clock.wallMs();
  const id = newId(now);
  const secret = createTokenSecret();
  const key = chosen.upstreamKey ?? null;
  const row = {
    ...chosenColumns(chosen),
    id,
    digest: tokenDigest(secret),
    hint: secret.slice(-hintCharacters),
    created_at: now,
    revoked_at: null,
    upstream_key: key === null ? null : box.seal(checkedKey(key), id),
  };
  await driver.transaction(function* () {
    yield* ask(builder.insertInto("tokens").values(row).compile());
    const use = { token_id: id, ...periodsAt(now) };
    yield* ask(builder.insertInto("quota_use").values(use).compile());
  });
  return { token: tokenOf(row), secret };
}

async function listTokens(
  { driver, builder }: TokenParts,
  { limit = maxListed, after }: ListQuery,
): Promise<readonly Token[]> {
  // Ids sort by the time they were made.
  let tokens = builder.selectFrom("tokens").select(tokenColumns).orderBy("id");
  if (after !== undefined) tokens = tokens.where("id", ">", isStorable(after) ? after : "");
  const most = Number.isInteger(limit) ? Math.min(Math.max(limit, 1), maxListed) : maxListed;
  return (await driver.all<StoredToken>(tokens.limit(most).compile())).map(tokenOf);
}

/** Each key on its own: a stop in between leaves every key readable. */
async function resealKeys({ driver, builder, box }: TokenParts): Promise<number> {
  const sealed = await driver.all(
    builder
      .selectFrom("tokens")
      .select(["id", "upstream_key"])
      .where("upstream_key", "is not", null)
      .compile(),
  );
  let changed = 0;
  for (const { id, upstream_key: key } of sealed) {
    if (key === null || box.isCurrent(key)) continue;
    const again = box.seal(box.open(key, id), id);
    const update = builder.updateTable("tokens").set({ upstream_key: again });
    await driver.all(update.where("id", "=", id).where("upstream_key", "=", key).compile());
    changed++;
  }
  return changed;
}
