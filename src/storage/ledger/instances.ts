import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { LatestMoment } from "../accounts/latest-moment.ts";
import type { Database } from "../driver/database.ts";
import { type DatabaseClock, postgresNow } from "../driver/database-clock.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { runPeriodically } from "../periodic.ts";
import { settingQueries } from "../settings.ts";
import type { Living } from "./silence.ts";

export const HEARTBEAT_MS = 3_000;
/** Five heartbeats: a pause that long is rarer than a death, and a wrong verdict is corrected. */
export const STALE_MS = 15_000;

export interface InstanceOptions {
  readonly id: string;
  /**
   * A name that only one process has at a time ("parley-1"). A new process with the name knows that
   * the one before is dead and doesn't wait for its heartbeat to become old. Null: wait.
   */
  readonly name: string | null;
  readonly heartbeatMs: number;
  /** An instance without a heartbeat for this long is not counted. Milliseconds. */
  readonly staleMs: number;
  /** False: the database has the time of its own clock. */
  readonly bringsTime: boolean;
  /** Called when a heartbeat or a recovery fails; the next one comes all the same. */
  readonly onError: (error: Error) => void;
  /** What this instance tells the others with each heartbeat: see instance-facts.ts. */
  readonly facts: () => string | null;
  /** Called with each heartbeat: how many instances are alive, this one among them. */
  readonly onAlive: (instances: number) => void;
}

/** Written and removed while a disk is full: only what needs new space shows that it is no longer. */
const SPACE_PROBE = "space_probe";
const SPACE_PROBE_BYTES = 48_000;

/**
 * Announces this process and returns how to leave. Every process has a row and renews its `seen_at`;
 * reservations of a row that is old or gone are recovered by whichever process looks first. A wrong
 * verdict about a process that was paused does no lasting harm: its own settle replaces that row.
 * The heartbeat also keeps the clock and the latest moment, and shows that the database takes writes.
 */
export async function announceInstance(
  { driver, builder, health }: Database,
  clock: DatabaseClock,
  latest: LatestMoment,
  { id, name, heartbeatMs, staleMs, bringsTime, onError, onAlive, facts }: InstanceOptions,
  recover: () => Promise<unknown>,
): Promise<() => Promise<void>> {
  const queries = instanceQueries(builder, driver.kind);
  const settings = settingQueries(builder);
  function* announce(): Transaction<number> {
    const sentMs = clock.monotonicMs();
    const now = bringsTime ? clock.wallMs() : null;
    const [row] = yield* query(queries.announce({ id, name, now, facts: facts() }));
    if (row !== undefined && !bringsTime) clock.heard(row.seen_at, sentMs);
    const seen = row?.seen_at ?? clock.wallMs();
    const [counted] = yield* query(
      queries.alive({ seenFrom: seen - staleMs, seenTo: seen + staleMs }),
    );
    yield* latest.mark(clock.wallMs());
    return counted?.alive ?? 1;
  }
  const alive = await driver.transaction(function* (): Transaction<number> {
    if (name !== null) yield* query(queries.succeed({ name }));
    return yield* announce();
  });
  onAlive(alive);
  const beat = async () => {
    driver.checkFiles();
    const isFull = health.problem()?.cause === "full";
    const alive = await driver.transaction(function* (): Transaction<number> {
      // Inserted again if a recovery that took us for dead has deleted the row.
      const counted = yield* announce();
      const value = randomBytes(isFull ? SPACE_PROBE_BYTES : 0).toString("base64");
      if (isFull) yield* query(settings.write({ name: SPACE_PROBE, value }));
      return counted;
    });
    onAlive(alive);
    health.proven();
    if (isFull) await driver.all(settings.remove({ name: SPACE_PROBE }));
    await recover();
  };
  const stop = runPeriodically(beat, heartbeatMs, onError);
  return async () => {
    await stop();
    // With the row gone, the next process recovers what is still open at once.
    await driver.all(queries.leave({ id }));
  };
}

interface Announcement {
  readonly id: string;
  readonly name: string | null;
  /** Null: the time of the database. */
  readonly now: number | null;
  readonly facts: string | null;
}

function instanceQueries(builder: Builder, kind: "sqlite" | "postgres") {
  return {
    succeed: prepare<{ name: string }, unknown>(({ text }) =>
      builder.updateTable("owners").set({ seen_at: 0 }).where("instance", "=", text("name")),
    ),
    announce: prepare<Announcement, { seen_at: number }>(({ int, text }) => {
      const given = int<number>("now");
      const now = kind === "sqlite" ? given : sql<number>`coalesce(${given}, ${postgresNow})`;
      return builder
        .insertInto("owners")
        .values({
          id: text("id"),
          instance: text<string | null>("name"),
          started_at: now,
          seen_at: now,
          facts: text<string | null>("facts"),
        })
        .onConflict((conflict) =>
          conflict.column("id").doUpdateSet({ seen_at: now, facts: text<string | null>("facts") }),
        )
        .returning("seen_at");
    }),
    alive: prepare<Living, { alive: number }>(({ int }) =>
      builder
        .selectFrom("owners")
        .select(({ fn }) => fn.countAll<number>().as("alive"))
        .where("seen_at", ">=", int("seenFrom"))
        .where("seen_at", "<=", int("seenTo")),
    ),
    leave: prepare<{ id: string }, unknown>(({ text }) =>
      builder.deleteFrom("owners").where("id", "=", text("id")),
    ),
  };
}
