import type { LedgerEntry, Reservation } from "../../core/accounts/accounts.ts";
import { noSpending, type Spending, sumOf } from "../../core/accounts/quota.ts";
import { createQuotaUse } from "../accounts/quota-use.ts";
import { ask, type Driver, type Script } from "../driver/driver.ts";
import { createInserts } from "../driver/insert.ts";
import type { RowValues } from "../driver/many-rows.ts";
import type { Builder } from "../driver/queries.ts";
import { MAX_BATCH, type Writes } from "../driver/writes.ts";
import { entryValues, plausibleUsage } from "./entry.ts";
import { closeOwnQuery } from "./reservation-rows.ts";

interface SettleParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly writes: Writes;
  readonly newId: (wallMs: number) => string;
}

interface Ended {
  readonly entry: LedgerEntry;
  readonly reservation: Reservation | null;
  readonly values: RowValues;
}

interface HeldCall extends Ended {
  readonly reservation: Reservation;
}

/**
 * Writes calls that are over. Those without a reservation cost one insert; the others close their
 * reservation, write the row and correct the counters in one transaction.
 */
export function createSettle(parts: SettleParts) {
  const { driver, writes, newId } = parts;
  const inserts = createInserts(parts.builder);
  const settleHeld = createHeldScript(parts, inserts);
  const insertFresh = function* (ended: readonly Ended[]): Script<void> {
    for (const chunk of chunks(ended, driver.rowsPerInsert)) {
      yield* ask(inserts.fresh(chunk.map((one) => one.values)));
    }
  };
  const write = writes.group<Ended, undefined>(
    {
      *script(ended) {
        yield* insertFresh(ended.filter((one) => one.reservation === null));
        yield* settleHeld(ended.filter(isHeld));
        return ended.map(() => undefined);
      },
      isSingle: (ended) => ended.length <= driver.rowsPerInsert && !ended.some(isHeld),
    },
    { subjectOf: () => "", lanes: 1, maxBatch: MAX_BATCH },
  );
  return async (entry: LedgerEntry, reservation: Reservation | null): Promise<void> => {
    const id = reservation?.id ?? newId(entry.at);
    await write({ entry, reservation, values: entryValues(id, entry) });
  };
}

function isHeld(ended: Ended): ended is HeldCall {
  return ended.reservation !== null;
}

function createHeldScript(
  { driver, builder }: SettleParts,
  inserts: ReturnType<typeof createInserts>,
): (ended: readonly HeldCall[]) => Script<void> {
  const close = closeOwnQuery(builder);
  const chargeAll = createChargeScript(builder);
  return function* (ended) {
    const charges: Charge[] = [];
    for (const chunk of chunks(ended, driver.rowsPerInsert)) {
      const closed = yield* ask(close(chunk.map(({ reservation }) => reservation.id)));
      const [open, others] = parted(chunk, closed);
      // a row goes in when its reservation goes out, so these have none yet
      if (open.length > 0) yield* ask(inserts.fresh(open.map(({ values }) => values)));
      charges.push(...open.map((one) => difference(one, one.reservation)));
      if (others.length === 0) continue;
      // settled before, and then the row stands; or taken for dead, and what was held was given back
      const written = yield* ask(inserts.held(others.map(({ values }) => values)));
      const [replaced] = parted(others, written);
      charges.push(...replaced.map((one) => difference(one, noSpending)));
    }
    yield* chargeAll(charges);
  };
}

/** Those the rows are of, and the others; each row is of one call, also where a call comes twice. */
function parted(
  calls: readonly HeldCall[],
  rows: readonly { readonly id: string }[],
): readonly [HeldCall[], HeldCall[]] {
  const ids = new Set(rows.map(({ id }) => id));
  const parts: [HeldCall[], HeldCall[]] = [[], []];
  for (const call of calls) parts[ids.delete(call.reservation.id) ? 0 : 1].push(call);
  return parts;
}

/** What a token's counters change by, in the periods of the reservation. */
export interface Charge extends Spending {
  readonly tokenId: string;
  readonly day: number;
  readonly month: number;
}

/** Corrects counters, in the order of tokens so that two groups never wait for each other. */
export function createChargeScript(builder: Builder): (charges: readonly Charge[]) => Script<void> {
  const { charge } = createQuotaUse(builder);
  return function* (charges) {
    const sums = new Map<string, Charge>();
    for (const one of charges) {
      const key = `${one.tokenId} ${one.day} ${one.month}`;
      const sum = sums.get(key);
      sums.set(key, sum === undefined ? one : { ...one, ...sumOf(sum, one) });
    }
    for (const [, sum] of [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      yield* ask(charge({ ...sum }));
    }
  };
}

/** The request itself counts as spent unless the call was refused before it reached the upstream. */
function difference({ entry, reservation }: HeldCall, held: Spending): Charge {
  const { tokenId, day, month } = reservation;
  const usage = plausibleUsage(entry.usage);
  const tokens = usage?.totalTokens ?? 0;
  const money = usage === null ? 0n : (entry.cost ?? 0n);
  return {
    tokenId,
    day,
    month,
    requests: entry.outcome === "refused" ? -1 : 0,
    tokens: tokens - held.tokens,
    money: money - held.money,
  };
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  if (all.length <= size) return all.length === 0 ? [] : [all];
  const parts: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += size) parts.push(all.slice(at, at + size));
  return parts;
}
