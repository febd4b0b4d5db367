import type { Clock } from "../../core/ports.ts";
import { ask, type Driver, type Script } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";

export interface OwnerOptions {
  /**
   * A name that only one process uses at a time ("parley-1"). A new process with the name knows
   * that the one before is dead, and need not wait until its heartbeat is old. Null: wait.
   */
  readonly instance: string | null;
  readonly heartbeatMs: number;
  /** Told when a heartbeat or a sweep could not be written. */
  readonly onError: (error: Error) => void;
}

/**
 * Says that this process lives. Every process has a row whose `seen_at` it renews; reservations
 * of a row that is old or gone belong to nobody and are recovered by whoever looks first. A wrong
 * verdict (a process that was stopped for a while) does no lasting harm: its own settle comes
 * later and replaces the recovered row.
 */
export async function announceOwner(
  parts: {
    readonly driver: Driver;
    readonly builder: Builder;
    readonly clock: Clock;
    readonly id: string;
  },
  { instance, heartbeatMs, onError }: OwnerOptions,
  sweep: () => Promise<unknown>,
): Promise<() => Promise<void>> {
  const { driver, clock, id } = parts;
  const queries = ownerQueries(parts.builder);
  await driver.transaction(function* (): Script<void> {
    if (instance !== null) yield* ask(queries.succeed({ instance }));
    yield* ask(queries.announce({ id, instance, now: clock.wallMs() }));
  });
  let beating = Promise.resolve();
  const beat = async () => {
    try {
      // Inserted again if a recovery that took us for dead has removed the row.
      await driver.all(queries.announce({ id, instance, now: clock.wallMs() }));
      await sweep();
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  };
  let isBeating = false;
  const timer = setInterval(() => {
    if (isBeating) return;
    isBeating = true;
    beating = beat().finally(() => {
      isBeating = false;
    });
  }, heartbeatMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await beating;
    // With the row gone, what is still open is recovered at once by the next process.
    await driver.all(queries.leave({ id }));
  };
}

function ownerQueries(builder: Builder) {
  return {
    succeed: prepare<{ instance: string }, unknown>(({ text }) =>
      builder.updateTable("owners").set({ seen_at: 0 }).where("instance", "=", text("instance")),
    ),
    announce: prepare<{ id: string; instance: string | null; now: number }, unknown>(
      ({ int, text }) =>
        builder
          .insertInto("owners")
          .values({
            id: text("id"),
            instance: text<string | null>("instance"),
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
