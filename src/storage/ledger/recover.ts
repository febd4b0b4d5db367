import type { LedgerEntry } from "../../core/accounts/accounts.ts";
import type { Clock } from "../../core/ports.ts";
import { ask, type Driver, type Script } from "../driver/driver.ts";
import { createInserts } from "../driver/insert.ts";
import type { RowValues } from "../driver/many-rows.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { entryColumns, entryValues } from "./entry.ts";
import { abandonedQuery, closeQuery, type Held } from "./reservation-rows.ts";
import { type Charge, createChargeScript } from "./settle.ts";

interface RecoverParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly clock: Clock;
  /** A heartbeat older than this means that the process is dead. */
  readonly staleMs: number;
  /** No call lasts this long: a reservation that old was forgotten. */
  readonly maxCallMs: number;
}

/**
 * Settles what dead processes left open: the row says interrupted and unknown, the request stays
 * counted, and the estimate of tokens and money is given back, since nothing says it was spent.
 * So the counters are always what the rows add up to.
 */
export function createRecover(parts: RecoverParts): () => Promise<number> {
  const { driver, builder, clock, staleMs, maxCallMs } = parts;
  const abandoned = abandonedQuery(builder);
  const recoverSome = createRecoverScript(parts);
  const forget = prepare<{ seenBefore: number }, unknown>(({ int }) =>
    builder.deleteFrom("owners").where("seen_at", "<", int("seenBefore")),
  );
  return async () => {
    const now = clock.wallMs();
    const limits = { seenBefore: now - staleMs, startedBefore: now - maxCallMs };
    let recovered = 0;
    for (;;) {
      const open = await driver.all(abandoned(limits));
      if (open.length === 0) break;
      recovered += await driver.transaction(() => recoverSome(open.map((row) => row.id)));
    }
    await driver.all(forget(limits));
    return recovered;
  };
}

function createRecoverScript({
  driver,
  builder,
}: RecoverParts): (ids: readonly string[]) => Script<number> {
  const close = closeQuery(builder);
  const inserts = createInserts(builder);
  const chargeAll = createChargeScript(builder);
  return function* (ids) {
    const closed = yield* ask(close(ids));
    for (let at = 0; at < closed.length; at += driver.rowsPerInsert) {
      const chunk = closed.slice(at, at + driver.rowsPerInsert);
      yield* ask(inserts.fresh(chunk.map(recoveredValues)));
    }
    yield* chargeAll(closed.map(givenBack));
    return closed.length;
  };
}

function recoveredValues(held: Held): RowValues {
  const entry: LedgerEntry = {
    requestId: held.request_id,
    at: held.at,
    payer: { kind: "token", tokenId: held.token_id, keyDigest: null },
    dialect: held.dialect,
    model: held.model,
    answeredBy: null,
    usage: null,
    price: null,
    cost: null,
    provenance: "unknown",
    outcome: "interrupted",
    onDisconnect: held.on_disconnect,
    status: null,
    error: null,
    firstTokenMs: null,
    durationMs: null,
    upstreamId: null,
  };
  return entryValues(held.id, entry).with(entryColumns.indexOf("state"), "recovered");
}

function givenBack(held: Held): Charge {
  return {
    tokenId: held.token_id,
    day: held.day,
    month: held.month,
    requests: 0,
    tokens: -held.tokens,
    money: -BigInt(held.money),
  };
}
