import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { runPeriodically } from "../periodic.ts";

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
  /** Called when a heartbeat or a recovery fails; the next one comes all the same. */
  readonly onError: (error: Error) => void;
}

/**
 * Announces this process and returns how to leave. Every process has a row and renews its `seen_at`;
 * reservations of a row that is old or gone are recovered by whichever process looks first. A wrong
 * verdict about a process that was paused does no lasting harm: its own settle replaces that row.
 */
export async function announceInstance(
  { driver, builder }: Database,
  clock: Clock,
  { id, name, heartbeatMs, onError }: InstanceOptions,
  recover: () => Promise<unknown>,
): Promise<() => Promise<void>> {
  const queries = instanceQueries(builder);
  const announce = () => queries.announce({ id, name, now: clock.wallMs() });
  await driver.transaction(function* (): Transaction<void> {
    if (name !== null) yield* query(queries.succeed({ name }));
    yield* query(announce());
  });
  const beat = async () => {
    // Inserted again if a recovery that took us for dead has deleted the row.
    await driver.all(announce());
    await recover();
  };
  const stop = runPeriodically(beat, heartbeatMs, onError);
  return async () => {
    await stop();
    // With the row gone, the next process recovers what is still open at once.
    await driver.all(queries.leave({ id }));
  };
}

function instanceQueries(builder: Builder) {
  return {
    succeed: prepare<{ name: string }, unknown>(({ text }) =>
      builder.updateTable("owners").set({ seen_at: 0 }).where("instance", "=", text("name")),
    ),
    announce: prepare<{ id: string; name: string | null; now: number }, unknown>(({ int, text }) =>
      builder
        .insertInto("owners")
        .values({
          id: text("id"),
          instance: text<string | null>("name"),
          started_at: int("now"),
          seen_at: int("now"),
        })
        .onConflict((conflict) => conflict.column("id").doUpdateSet({ seen_at: int("now") })),
    ),
    leave: prepare<{ id: string }, unknown>(({ text }) =>
      builder.deleteFrom("owners").where("id", "=", text("id")),
    ),
  };
}
