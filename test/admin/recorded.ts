/** Calls as a server would have recorded them, in the database of these settings. */
import { systemClock } from "../../src/clock.ts";
import type { LedgerEntry } from "../../src/core/accounts/accounts.ts";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import type { Env } from "./support.ts";

/** Fewer than may wait for the database. */
const AT_ONCE = 1_000;

export function openDatabaseOf({ DATABASE_URL, DATA_DIR }: Env): Promise<Storage> {
  const place = { databaseUrl: DATABASE_URL ?? null, sqliteFile: `${DATA_DIR}/parley.sqlite` };
  return openStorage({ ...place, clock: systemClock, oneOff: true });
}

/** Returns the ids of the tokens that it creates, too. */
export async function record(
  env: Env,
  entries: readonly LedgerEntry[],
  tokens: readonly string[] = [],
): Promise<readonly string[]> {
  const storage = await openDatabaseOf(env);
  const named = tokens.map((name) => ({ name }));
  const made = named.length === 0 ? [] : await storage.tokens.createAll(named);
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const some = entries.slice(at, at + AT_ONCE);
    await Promise.all(some.map((one) => storage.ledger.settle(one, null)));
  }
  await storage.close();
  return made.map(({ token }) => token.id);
}
