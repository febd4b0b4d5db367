import type { Ledger, PriceBook, TokenStore } from "../core/accounts/accounts.ts";
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
import { announceInstance, HEARTBEAT_MS, STALE_MS } from "./ledger/instances.ts";
import { createLedger } from "./ledger/ledger.ts";
import type { LostRow } from "./ledger/settle.ts";
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
  /** Called with each ledger row that was never written, and why. */
  readonly onLost?: (row: LostRow, error: unknown) => void;
  readonly conversations?: ConversationOptions;
}

export interface Resealed {
  /** Upstream keys of tokens. */
  readonly resealed: number;
  /** Texts of conversations. */
  readonly texts: number;
  readonly failed: readonly { readonly kind: "token" | "conversation"; readonly id: string }[];
}

export interface Storage {
  readonly kind: "sqlite" | "postgres";
  readonly tokens: TokenStore;
  readonly prices: PriceBook;
  readonly ledger: Ledger;
  readonly conversations: Conversations;
  /** See settings.ts. */
  installationSecret(): Promise<string>;
  /** Throws if the database doesn't answer: for /readyz. */
  ping(): Promise<void>;
  /** A consistent copy during calls; SQLite only. */
  backup(file: string): Promise<void>;
  /** Encrypts what is stored again with the newest secret key. What no key opens stays as it is. */
  reseal(): Promise<Resealed>;
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
  const { ledger, close: closeLedger } = createLedger(database, clock, {
    instanceId: id,
    staleMs: options.staleMs ?? STALE_MS,
    onLost: options.onLost ?? ignore,
  });
  const stored = createConversations(database, clock, sealing, options.conversations);
  const conversations = withStorageErrors(stored);
  const tokens = createTokens(database, clock, box);
  const leave = options.oneOff
    ? async () => undefined
    : await live(options, database, id, ledger.recover, conversations.sweep);
  const probe = builder.selectFrom("prices").select("model").limit(1).compile();
  return {
    kind: driver.kind,
    tokens,
    prices: createPrices(database, clock),
    ledger,
    conversations,
    installationSecret: () => installationSecret(database),
    ping: async () => void (await driver.all(probe)),
    backup: (file) => driver.backup(file),
    reseal: async () => {
      const { keys, unreadable } = await tokens.reseal();
      const content = await stored.reseal();
      return {
        resealed: keys,
        texts: content.texts,
        failed: [
          ...unreadable.map((id) => ({ kind: "token", id }) as const),
          ...content.unreadable.map((id) => ({ kind: "conversation", id }) as const),
        ],
      };
    },
    close: async () => {
      await closeLedger();
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
