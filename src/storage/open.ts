import type { PriceBook, TokenStore } from "../core/accounts/accounts.ts";
import type { GroupStore } from "../core/accounts/groups.ts";
import type { AlertStore, NetworkStore } from "../core/alerts.ts";
import type { Conversations } from "../core/conversations/conversations.ts";
import type { AcceptedOwners } from "../core/conversations/owner.ts";
import type { Clock, OperatorStore } from "../core/ports.ts";
import type { CallCountStore } from "../core/reports/call-counts.ts";
import type { Reports } from "../core/reports/reports.ts";
import type { RoutingStore } from "../core/routing/routing.ts";
import { createLatestMoment, type LatestMoment } from "./accounts/latest-moment.ts";
import { createPrices } from "./accounts/prices.ts";
import { createSecretBox, type SecretKeys } from "./accounts/secret-box.ts";
import { createTokensAndGroups } from "./accounts/tokens-and-groups.ts";
import { createAcceptedOwners } from "./conversations/accepted.ts";
import { type ConversationOptions, createConversations } from "./conversations/conversations.ts";
import { createSealing } from "./conversations/sealing.ts";
import { type Database, openDatabase } from "./driver/database.ts";
import { createDatabaseClock, type DatabaseClock, hearPostgres } from "./driver/database-clock.ts";
import type { StorageNotice } from "./driver/driver.ts";
import { newId } from "./driver/ids.ts";
import { type StorageProblem, withStorageErrors } from "./driver/storage-errors.ts";
import { createSharedFacts, type SharedFacts } from "./ledger/instance-facts.ts";
import { announceInstance, HEARTBEAT_MS, STALE_MS } from "./ledger/instances.ts";
import type { LostRow } from "./ledger/settle.ts";
import { createOperatorStores } from "./operator-stores.ts";
import { runPeriodically } from "./periodic.ts";
import { createRecords, type Records } from "./records.ts";
import { type Resealed, resealAll } from "./reseal.ts";
import { createRouting } from "./routing/routing.ts";
import { installationSecret } from "./settings.ts";
import { createSweeps } from "./sweeps.ts";

export interface StorageOptions {
  /** `postgres://…`. Wins over `sqliteFile`. */
  readonly databaseUrl?: string | null;
  /** A path; ":memory:" for tests. */
  readonly sqliteFile?: string | null;
  /** Most connections to PostgreSQL at a time; a command takes fewer. */
  readonly connections?: number;
  /** How long a start waits for a PostgreSQL that starts too, or has no connection left. Milliseconds. */
  readonly startWaitMs?: number;
  readonly clock: Clock;
  /** True: the clock is the database's, too. For tests that set the time. */
  readonly bringsTime?: boolean;
  readonly secretKeys?: SecretKeys;
  /**
   * True for a command beside a server. It makes no calls, so it announces no instance and recovers
   * nothing: neither its clock nor a paused server may cost an open call.
   */
  readonly oneOff?: boolean;
  /** False: throws a NoDatabaseError if there is none. */
  readonly mayCreate?: boolean;
  /** A name that only one process has at a time; see ledger/instances.ts. */
  readonly instanceName?: string | null;
  readonly heartbeatMs?: number;
  /** A process without a heartbeat for this long counts as dead. Milliseconds. */
  readonly staleMs?: number;
  /** Called for broken idle connections and failed heartbeats, which are not fatal. */
  readonly onError?: (error: Error) => void;
  /** Called when a start waits, or finds a newer version's database that it can serve. */
  readonly onNotice?: (notice: StorageNotice) => void;
  /** Called when the number of instances alive changes; see `Storage.instances`. */
  readonly onInstances?: (alive: number) => void;
  /** Called with each ledger row that was never written, and why. */
  readonly onLost?: (row: LostRow, error: unknown) => void;
  /** Called when the database stops to take writes, with the cause, and when it takes them again. */
  readonly onHealth?: (problem: StorageProblem | null) => void;
  readonly conversations?: ConversationOptions;
}

export interface Storage extends Records {
  readonly kind: "sqlite" | "postgres";
  readonly tokens: TokenStore;
  readonly groups: GroupStore;
  readonly alerts: AlertStore;
  readonly networks: NetworkStore;
  readonly prices: PriceBook;
  readonly conversations: Conversations;
  readonly acceptedOwners: AcceptedOwners;
  readonly routing: RoutingStore;
  readonly reports: Reports;
  readonly operator: OperatorStore;
  readonly callCounts: CallCountStore;
  /**
   * How many instances are alive on this database, this one among them, by the last heartbeat. One that
   * was killed is counted for another 15 s.
   */
  instances(): number;
  readonly sharedFacts: SharedFacts;
  /** Its wall time is the database's: see driver/database-clock.ts. */
  readonly clock: Clock;
  /** See settings.ts. */
  installationSecret(): Promise<string>;
  /** Why the database takes no writes, by the last one; null if it does. */
  problem(): StorageProblem | null;
  /** Throws if the database doesn't answer, or takes no writes: for /readyz. */
  ping(): Promise<void>;
  /** A compact copy of one moment; SQLite only. Blocks the thread, but no other process. */
  backup(file: string): Promise<void>;
  /** See reseal.ts. */
  reseal(): Promise<Resealed>;
  /** For when no call is open any more. */
  close(): Promise<void>;
  /** Gives out ledger rows that are not written yet, at once: the process ends. */
  giveUp(): void;
}

const SWEEP_MS = 60_000;
/** A command does one thing after the other, and somebody waits for it. */
const COMMAND = { connections: 2, startWaitMs: 5_000 };
const ignore = () => undefined;

/** Opens, migrates, announces this process, and recovers what dead ones left open. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const secretKeys = options.secretKeys ?? { current: null, old: [] };
  // First, so that a bad key is reported before anything is opened.
  const box = createSecretBox(secretKeys);
  const sealing = createSealing(secretKeys, options.conversations?.encryptContent);
  const nowhere = { databaseUrl: null, sqliteFile: null };
  const unheard = { onError: ignore, onHealth: ignore, onLost: ignore, onNotice: ignore };
  const opening = { ...nowhere, ...unheard, ...options, monotonicMs: options.clock.monotonicMs };
  const database = await openDatabase(options.oneOff ? { ...opening, ...COMMAND } : opening);
  const { driver, health } = database;
  const clock = createDatabaseClock(options.clock);
  const latest = await closedIfItFails(database, async () => {
    if (driver.kind === "postgres" && !options.bringsTime) await hearPostgres(database, clock);
    return createLatestMoment(database);
  });
  const id = newId(clock.wallMs());
  const ledgerOptions = { staleMs: STALE_MS, ...unheard, ...options, instanceId: id };
  const { records, ...ends } = createRecords(database, clock, ledgerOptions);
  const stored = createConversations(database, clock, sealing, options.conversations);
  const conversations = withStorageErrors(stored);
  const accounts = createTokensAndGroups(database, clock, box);
  const routing = createRouting(database, clock, createSecretBox(secretKeys, "upstream secret"));
  const alive = createAlive(options.onInstances ?? ignore);
  const { wallMs } = clock;
  const sharedFacts = createSharedFacts(database, { wallMs, staleMs: options.staleMs ?? STALE_MS });
  const parts = { database, clock, latest, id, onAlive: alive.heard, facts: sharedFacts.own };
  const sweeps = [conversations.sweep, ends.sweep, ...createSweeps(database, clock)];
  const leave = options.oneOff
    ? async () => undefined
    : await live(options, parts, records.ledger.recover, sweeps);
  return {
    kind: driver.kind,
    ...accounts,
    ...createOperatorStores(database, clock),
    routing,
    prices: createPrices(database, clock, latest),
    ...records,
    conversations,
    instances: alive.count,
    sharedFacts,
    acceptedOwners: createAcceptedOwners(database, clock, options.onError ?? ignore),
    clock,
    installationSecret: () => installationSecret(database),
    problem: health.problem,
    ping: createPing(database),
    backup: (file) => driver.backup(file),
    reseal: () => resealAll(accounts.tokens, routing, stored),
    giveUp: ends.giveUp,
    close: async () => {
      await ends.close();
      await leave();
      await driver.close();
    },
  };
}

/** Throws if the database does not answer, or takes no writes. */
function createPing({ driver, builder, health }: Database): () => Promise<void> {
  const probe = builder.selectFrom("prices").select("model").limit(1).compile();
  return async () => {
    const problem = health.problem();
    if (problem !== null) throw new Error(problem.words);
    await driver.all(probe);
  };
}

interface Parts {
  readonly database: Database;
  readonly clock: DatabaseClock;
  readonly latest: LatestMoment;
  readonly id: string;
  readonly onAlive: (instances: number) => void;
  readonly facts: () => string | null;
}

/** The number of instances as the heartbeats tell it; `onChange` is called when it changes. */
function createAlive(onChange: (alive: number) => void) {
  let current = 1;
  return {
    count: () => current,
    heard(alive: number) {
      if (alive === current) return;
      current = alive;
      onChange(alive);
    },
  };
}

/** Announces, recovers and sweeps; returns how to stop. Closes the database if that fails. */
async function live(
  options: StorageOptions,
  { database, clock, latest, id, onAlive, facts }: Parts,
  recover: () => Promise<unknown>,
  sweeps: readonly (() => Promise<unknown>)[],
): Promise<() => Promise<void>> {
  const { onError = ignore, instanceName = null, heartbeatMs = HEARTBEAT_MS } = options;
  const { staleMs = STALE_MS } = options;
  const bringsTime = options.bringsTime === true || database.driver.kind === "sqlite";
  let leave = async (): Promise<void> => undefined;
  await closedIfItFails(database, async () => {
    try {
      const named = { id, name: instanceName };
      const instance = { ...named, heartbeatMs, staleMs, bringsTime, onError, onAlive, facts };
      leave = await announceInstance(database, clock, latest, instance, recover);
      await recover();
    } catch (error) {
      await leave().catch(onError);
      throw error;
    }
  });
  const stops = sweeps.map((sweep) => runPeriodically(sweep, SWEEP_MS, onError));
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    // The database may be away: then the heartbeat becomes old instead.
    await leave().catch(onError);
  };
}

async function closedIfItFails<T>({ driver }: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await driver.close();
    throw error;
  }
}
