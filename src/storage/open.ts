import type { Ledger, PriceBook, TokenStore } from "../core/accounts/accounts.ts";
import type { Conversations } from "../core/conversations/conversations.ts";
import type { Clock } from "../core/ports.ts";
import { createPrices } from "./accounts/prices.ts";
import { createSecretBox, type SecretKeys } from "./accounts/secret-box.ts";
import { createTokens } from "./accounts/tokens.ts";
import {
  type ConversationOptions,
  createConversations,
  createSealing,
} from "./conversations/conversations.ts";
import { startSweeper } from "./conversations/sweeper.ts";
import type { Driver } from "./driver/driver.ts";
import { createIds, type FillRandom } from "./driver/ids.ts";
import { createBuilder } from "./driver/queries.ts";
import { guarded } from "./driver/storage-errors.ts";
import { createWrites } from "./driver/writes.ts";
import { installationSecret } from "./installation-secret.ts";
import { announceOwner } from "./ledger/instances.ts";
import { createLedger } from "./ledger/ledger.ts";

export interface StorageOptions {
  /** `postgres://…`. Wins over `sqliteFile`. */
  readonly databaseUrl?: string | null;
  /** A path; ":memory:" for tests. */
  readonly sqliteFile?: string | null;
  /** FULL also survives a power cut, at a tenth of the speed. */
  readonly sqliteSynchronous?: "NORMAL" | "FULL";
  readonly clock: Clock;
  readonly secretKeys?: SecretKeys;
  /**
   * True for one command beside a server: this process makes no calls, so it announces nothing and
   * recovers nothing. Another clock or a server that was paused must not cost a living call.
   */
  readonly brief?: boolean;
  /** A name only one process has at a time; see owners.ts. */
  readonly instance?: string | null;
  readonly heartbeatMs?: number;
  /** Without a heartbeat for this long a process counts as dead. Milliseconds. */
  readonly staleMs?: number;
  /** Above every deadline a call can have. Milliseconds. */
  readonly maxCallMs?: number;
  /** Told of broken idle connections and failed heartbeats; they are not fatal. */
  readonly onError?: (error: Error) => void;
  readonly fillRandom?: FillRandom;
  readonly conversations?: ConversationOptions;
  /** How often expired conversations are looked for. */
  readonly sweepMs?: number;
}

export interface Storage {
  readonly kind: "sqlite" | "postgres";
  readonly tokens: TokenStore;
  readonly prices: PriceBook;
  readonly ledger: Ledger;
  readonly conversations: Conversations;
  /** See installation-secret.ts. */
  installationSecret(): Promise<string>;
  /** Throws when the database does not answer: for /readyz. */
  ping(): Promise<void>;
  /** A consistent copy while calls go on; SQLite only. */
  backup(file: string): Promise<void>;
  /** Call it when no call is open any more. */
  close(): Promise<void>;
}

const heartbeatMs = 3_000;
/** Five heartbeats: a stall that long is rarer than a death, and a wrong verdict is corrected. */
const staleMs = 15_000;
const maxCallMs = 2 * 3_600_000;
const everyMinuteMs = 60_000;

/** Opens, migrates, says that this process lives, and recovers what dead ones left open. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { clock, onError = () => undefined } = options;
  // First, so that a bad key is told before anything is opened.
  const secretKeys = options.secretKeys ?? { current: null, old: [] };
  const box = createSecretBox(secretKeys);
  const sealing = createSealing(secretKeys, options.conversations?.encryptContent);
  const driver = await openDriver(options, onError);
  const builder = createBuilder(driver.kind);
  const writes = createWrites(driver);
  const newId = createIds(options.fillRandom);
  const owner = newId(clock.wallMs());
  const ledger = createLedger({
    driver,
    builder,
    writes,
    clock,
    newId,
    owner,
    staleMs: options.staleMs ?? staleMs,
    maxCallMs: options.maxCallMs ?? maxCallMs,
  });
  const parts = { driver, builder, writes, clock, newId, box };
  const live = () => liveAsOwner(options, { ...parts, id: owner }, ledger);
  const leave = options.brief === true ? async () => undefined : await live();
  const conversations = guarded(
    createConversations({ ...parts, ...sealing }, options.conversations),
  );
  const endSweeps = sweepWhileOpen(options, conversations);
  const probe = builder.selectFrom("prices").select("model").limit(1).compile();
  return {
    kind: driver.kind,
    tokens: createTokens(parts),
    prices: createPrices(parts),
    ledger,
    conversations,
    installationSecret: () => installationSecret(driver, builder),
    ping: async () => void (await driver.all(probe)),
    backup: (file) => driver.backup(file),
    close: async () => {
      await endSweeps();
      // The database may be away: then the heartbeat grows old instead.
      await leave().catch(onError);
      await driver.close();
    },
  };
}

/** Returns how to end it. A command beside a server leaves it to the server, and to its clock. */
function sweepWhileOpen(
  { brief, sweepMs = everyMinuteMs, onError = () => undefined }: StorageOptions,
  conversations: Conversations,
): () => Promise<void> {
  if (brief === true) return async () => undefined;
  return startSweeper(conversations.sweep, sweepMs, onError);
}

/** Returns how to leave. When it fails the database is closed again. */
async function liveAsOwner(
  options: StorageOptions,
  parts: Parameters<typeof announceOwner>[0],
  ledger: Ledger,
): Promise<() => Promise<void>> {
  const { onError = () => undefined } = options;
  const ownerOptions = {
    instance: options.instance ?? null,
    heartbeatMs: options.heartbeatMs ?? heartbeatMs,
    onError,
  };
  let leave = async (): Promise<void> => undefined;
  try {
    leave = await announceOwner(parts, ownerOptions, ledger.recover);
    await ledger.recover();
    return leave;
  } catch (error) {
    await leave().catch(onError);
    await parts.driver.close();
    throw error;
  }
}

/** The driver that is not used is not loaded. */
async function openDriver(
  options: StorageOptions,
  onError: (error: Error) => void,
): Promise<Driver> {
  const { databaseUrl, sqliteFile } = options;
  if (databaseUrl != null && databaseUrl !== "") {
    const { openPostgres } = await import("./driver/postgres.ts");
    return openPostgres({ url: databaseUrl, onError });
  }
  if (sqliteFile == null || sqliteFile === "") throw new Error("no database is named");
  const { openSqlite } = await import("./driver/sqlite.ts");
  return openSqlite({
    file: sqliteFile,
    ...(options.sqliteSynchronous === undefined ? {} : { synchronous: options.sqliteSynchronous }),
  });
}
