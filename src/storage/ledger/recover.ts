import type { Clock } from "../../core/ports.ts";
import { createCharges, type Taking, takings } from "../accounts/quotas.ts";
import { abandonedQuery, type ClosedReservation, closeQueries } from "../accounts/reservations.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { prepare } from "../driver/queries.ts";
import { knownValues } from "./columns.ts";
import { chunks, createInserts } from "./settle.ts";
import { createSilence, type Living } from "./silence.ts";

/** Above every deadline a call can have: an older reservation was forgotten. */
const MAX_CALL_MS = 2 * 3_600_000;

/**
 * Settles what dead processes left open. The row says interrupted and unknown, the request stays
 * counted, and the estimate of tokens and money is given back, since nothing says it was spent.
 * So the counters always equal the sum of the rows. A process is dead if its last heartbeat is older
 * than `staleMs`; how that is judged after an outage is in silence.ts.
 */
export function createCrashRecovery(
  database: Database,
  clock: Clock,
  staleMs: number,
): () => Promise<number> {
  const { driver, builder } = database;
  const abandoned = abandonedQuery(builder);
  const recoverSome = createRecoverSome(database);
  const judge = createSilence(staleMs);
  const forget = prepare<Living, unknown>(({ int }) =>
    builder
      .deleteFrom("owners")
      .where((where) =>
        where.or([where("seen_at", "<", int("seenFrom")), where("seen_at", ">", int("seenTo"))]),
      ),
  );
  return async () => {
    const now = clock.wallMs();
    const limits = { ...judge(now), startedBefore: now - MAX_CALL_MS };
    let recovered = 0;
    for (;;) {
      const open = await driver.all(abandoned(limits));
      if (open.length === 0) break;
      recovered += await driver.transaction(() => recoverSome(open.map(({ id }) => id)));
    }
    await driver.all(forget(limits));
    return recovered;
  };
}

function createRecoverSome({ driver, builder }: Database) {
  const { close } = closeQueries(builder);
  const inserts = createInserts(builder);
  const charge = createCharges(builder);
  return function* (ids: readonly string[]): Transaction<number> {
    const closed = yield* query(close(ids.map((id) => [id])));
    for (const chunk of chunks(closed, driver.rowsPerInsert)) {
      yield* query(inserts.fresh(chunk.map(recoveredValues)));
    }
    yield* charge(closed.flatMap(givenBack));
    return closed.length;
  };
}

function recoveredValues(reservation: ClosedReservation) {
  return knownValues({
    ...reservation,
    state: "recovered",
    payerKind: "token",
    provenance: "unknown",
    outcome: "interrupted",
  });
}

function givenBack({ tokens, money, ...counted }: ClosedReservation): readonly Taking[] {
  return takings(counted, { requests: 0, tokens: -tokens, money: -BigInt(money) });
}
