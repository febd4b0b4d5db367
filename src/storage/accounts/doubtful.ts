import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { createCharges, type Taking, takings } from "./quotas.ts";
import { type ClosedReservation, closeQueries } from "./reservations.ts";

/** Each was under way when the database failed, so there are few. */
const MAX_KEPT = 1_000;
/** Looks at one, with a heartbeat between: a server that was paused may run the statement late. */
const MAX_LOOKS = 20;

/**
 * Reservations of calls that were refused because no answer came from the database. It may have stored
 * them all the same, and nobody else gives them back as long as this process lives.
 */
export function createDoubtful({ driver, builder }: Database) {
  const { close } = closeQueries(builder);
  const charge = createCharges(builder);
  const looksLeft = new Map<string, number>();

  function* giveBackStored(): Transaction<readonly ClosedReservation[]> {
    const stored = yield* query(close([...looksLeft.keys()].map((id) => [id])));
    yield* charge(stored.flatMap(takenBack));
    return stored;
  }

  return {
    add(id: string): void {
      if (looksLeft.size < MAX_KEPT) looksLeft.set(id, MAX_LOOKS);
    },
    /** Gives back those that are stored. */
    async giveBack(): Promise<void> {
      if (looksLeft.size === 0) return;
      for (const { id } of await driver.transaction(giveBackStored)) looksLeft.delete(id);
      for (const [id, left] of looksLeft) {
        if (left > 1) looksLeft.set(id, left - 1);
        else looksLeft.delete(id);
      }
    },
  };
}

export type Doubtful = ReturnType<typeof createDoubtful>;

/** With its request: the call was never made. */
function takenBack({ tokens, money, ...counted }: ClosedReservation): readonly Taking[] {
  return takings(counted, { requests: -1, tokens: -tokens, money: -BigInt(money) });
}
