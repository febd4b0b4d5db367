import type { FoundToken, Token } from "../../core/accounts/accounts.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { prepare } from "../driver/queries.ts";
import type { SecretBox } from "./secret-box.ts";
import { createTokenCache } from "./token-cache.ts";
import { type StoredToken, selectTokens, tokenOf } from "./token-row.ts";
import { isTokenSecret, tokenDigest } from "./token-secret.ts";

/** A token by one of its secrets. */
interface BySecret {
  readonly found: FoundToken;
  /** When the secret ends; null: with the token. */
  readonly endsAt: number | null;
}

export type TokenLookup = ReturnType<typeof createTokenLookup>;

/** Finds the token of a call by its secret. */
export function createTokenLookup(
  { driver, builder }: Database,
  clock: Pick<Clock, "wallMs">,
  box: SecretBox,
) {
  const byDigest = prepare<{ digest: string }, StoredToken>(({ text }) =>
    selectTokens(builder).where("tokens.digest", "=", text("digest")),
  );
  const byEarlierDigest = prepare<{ digest: string }, StoredToken & { ends_at: number }>(
    ({ text }) =>
      selectTokens(builder)
        .innerJoin("token_secrets", "token_secrets.token_id", "tokens.id")
        .select("token_secrets.ends_at")
        .where("token_secrets.digest", "=", text("digest")),
  );
  const cache = createTokenCache<BySecret>(driver);
  /** In this order: a secret that was replaced between the two queries is found by the second. */
  const read = async (digest: string): Promise<BySecret | null> => {
    const [row] = await driver.all(byDigest({ digest }));
    if (row !== undefined) return { found: foundToken(row, box), endsAt: null };
    const [earlier] = await driver.all(byEarlierDigest({ digest }));
    if (earlier === undefined) return null;
    return { found: foundToken(earlier, box), endsAt: earlier.ends_at };
  };
  const readAndKeep = async (digest: string) => {
    const moment = cache.moment();
    const known = await read(digest);
    if (known !== null) cache.keep(digest, known, moment);
    return known;
  };
  return {
    find: async (secret: string): Promise<FoundToken | null> => {
      // A wrong form or checksum needs no lookup.
      if (!isTokenSecret(secret)) return null;
      const digest = tokenDigest(secret);
      const known = cache.get(digest) ?? (await readAndKeep(digest));
      if (known === null) return null;
      const { found, endsAt } = known;
      const nowMs = clock.wallMs();
      if (!isValid(found.token, nowMs) || (endsAt !== null && nowMs >= endsAt)) return null;
      if (found.token.disabledAt !== null) throw new ProxyError("token_disabled");
      return found;
    },
    /** For this process's own writes, of groups too. */
    forget: cache.forget,
  };
}

export function foundToken(row: StoredToken, box: SecretBox): FoundToken {
  const { id, upstream_key: sealed } = row;
  return {
    token: tokenOf(row),
    upstreamKey: () => (sealed === null ? null : box.open(sealed, id)),
  };
}

function isValid({ revokedAt, expiresAt }: Token, nowMs: number): boolean {
  return revokedAt === null && (expiresAt === null || nowMs < expiresAt);
}
