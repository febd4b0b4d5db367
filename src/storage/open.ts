import type { Ledger, PriceBook, TokenStore } from "../core/accounts/accounts.ts";
import type { BackgroundCalls } from "../core/accounts/background.ts";
import type { Conversations } from "../core/conversations/conversations.ts";
import type { Clock } from "../core/ports.ts";
import { createPrices } from "./accounts/prices.ts";
import { createSecretBox, type SecretKeys } from "./accounts/secret-box.ts";
import { createTokens } from "./accounts/tokens.ts";
import { type ConversationOptions, createConversations } from "./conversations/conversations.ts";
import { createSealing } from "./conversations/sealing.ts";
import { type Database, openDatabase } from "./driver/database.ts";
import { newId } from "./driver/ids.ts";
import { withStorageErrors } from "./driver/storage-errors.ts";
import { createBackgroundCalls } from "./ledger/background.ts";
import { announceInstance, HEARTBEAT_MS, STALE_MS } from "./ledger/instances.ts";
import { createLedger } from "./ledger/ledger.ts";
import { runPeriodically } from "./periodic.ts";
import { installationSecret } from "./settings.ts";

export interface StorageOptions {
  /** `postgres://…`. Wins over `sqliteFile`. */
  readonly databaseUrl?: string | null;
  /** A path; ":memory:" for tests. */
  readonly sqliteFile?: string | null;
  readonly clock: Clock;
  readonly secretKeys?: SecretKeys;
  /**
   * True for a command beside a server. It makes no calls, so it announces no instance and recovers
   * nothing: neither its clock nor a paused server may cost an open call.
   */
  readonly oneOff?: boolean;
  /** A name that only one process has at a time; see ledger/instances.ts. */
  readonly instanceName?: string | null;
  readonly heartbeatMs?: number;
  /** A process without a heartbeat for this long counts as dead. Milliseconds. */
  readonly staleMs?: number;
  /** Called for broken idle connections and failed heartbeats, which are not fatal. */
  readonly onError?: (error: Error) => void;
  readonly conversations?: ConversationOptions;
}

export interface Storage {
  readonly kind: "sqlite" | "postgres";
  readonly tokens: TokenStore;
  readonly prices: PriceBook;
  readonly ledger: Ledger;
  readonly background: BackgroundCalls;
  readonly conversations: Conversations;
  /** See settings.ts. */
  installationSecret(): Promise<string>;
  /** Throws if the database doesn't answer: for /readyz. */
  ping(): Promise<void>;
  /** A consistent copy during calls; SQLite only. */
  backup(file: string): Promise<void>;
  /** For when no call is open any more. */
  close(): Promise<void>;
}

const SWEEP_MS = 60_000;
const ignore = () => undefined;

/** Opens, migrates, announces this process, and recovers what dead ones left open. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { databaseUrl = null, sqliteFile = null, clock, onError = ignore } = options;
  const secretKeys = options.secretKeys ?? { current: null, old: [] };
  // First, so that a bad key is reported before anything is opened.
  const box = createSecretBox(secretKeys);
  const sealing = createSealing(secretKeys, options.conversations?.encryptContent);
  const database = await openDatabase(databaseUrl, sqliteFile, onError);
  const { driver, builder } = database;
  const id = newId(clock.wallMs());
  const ledger = createLedger(database, clock, id, options.staleMs ?? STALE_MS);
  const conversations = withStorageErrors(
    createConversations(database, clock, sealing, options.conversations),
  );
  const leave = options.oneOff
    ? async () => undefined
    : await live(options, database, id, ledger.recover, conversations.sweep);
  const probe = builder.selectFrom("prices").select("model").limit(1).compile();
  return {
    kind: driver.kind,
    tokens: createTokens(database, clock, box),
    prices: createPrices(database, clock),
    ledger,
    background: createBackgroundCalls(database, clock),
    conversations,
    installationSecret: () => installationSecret(database),
    ping: async () => void (await driver.all(probe)),
    backup: (file) => driver.backup(file),
    close: async () => {
      await leave();
      await driver.close();
    },
  };
}

/** Announces, recovers and sweeps; returns how to stop. Closes the database if that fails. */
async function live(
  { clock, onError = ignore, instanceName = null, heartbeatMs = HEARTBEAT_MS }: StorageOptions,
  database: Database,
  id: string,
  recover: () => Promise<unknown>,
  sweep: () => Promise<unknown>,
): Promise<() => Promise<void>> {
  let leave = async (): Promise<void> => undefined;
  try {
    const instance = { id, name: instanceName, heartbeatMs, onError };
    leave = await announceInstance(database, clock, instance, recover);
    await recover();
  } catch (error) {
    await leave().catch(onError);
    await database.driver.close();
    throw error;
  }
  const stopSweeping = runPeriodically(sweep, SWEEP_MS, onError);
  return async () => {
    await stopSweeping();
    // The database may be away: then the heartbeat becomes old instead.
    await leave().catch(onError);
  };
}
