import type { LedgerEntry, Reservation } from "../core/accounts.ts";
import type { Spending } from "../core/quota.ts";
import { ask, type Driver, type Script } from "./driver.ts";
import { type EntryValues, entryValues, plausibleUsage } from "./entry.ts";
import { createGroup } from "./group.ts";
import { createInserts } from "./insert.ts";
import { closeQuery, type Held } from "./open-calls.ts";
import type { Builder } from "./queries.ts";
import { createQuotaUse } from "./quota-use.ts";

interface SettleParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly newId: (wallMs: number) => string;
}

interface Ended {
  readonly entry: LedgerEntry;
  readonly reservation: Reservation | null;
  readonly values: EntryValues;
}

interface Place extends Reservation {
  readonly entry: LedgerEntry;
}

/**
 * Writes calls that are over. Those without a reservation cost one insert; the others close their
 * reservation, write the row and correct the counters in one transaction.
 */
export function createSettle(parts: SettleParts) {
  const { driver, newId } = parts;
  const inserts = createInserts(parts.builder);
  const settleHeld = createHeldScript(parts, inserts);
  const insertFresh = function* (ended: readonly Ended[]): Script<void> {
    for (const chunk of chunks(ended, driver.rowsPerInsert)) {
      yield* ask(inserts.fresh(chunk.map((one) => one.values)));
    }
  };
  const grouped = createGroup<Ended, undefined>(async (ended) => {
    const free = ended.filter((one) => one.reservation === null);
    const held = ended.filter((one) => one.reservation !== null);
    if (held.length === 0 && free.length <= driver.rowsPerInsert) {
      await driver.single(() => insertFresh(free));
    } else {
      await driver.transaction(function* () {
        yield* insertFresh(free);
        yield* settleHeld(held);
      });
    }
    return ended.map(() => undefined);
  });
  return async (entry: LedgerEntry, reservation: Reservation | null): Promise<void> => {
    const id = reservation?.id ?? newId(entry.at);
    await grouped({ entry, reservation, values: entryValues(id, entry) });
  };
}

function createHeldScript(
  { driver, builder }: SettleParts,
  inserts: ReturnType<typeof createInserts>,
): (ended: readonly Ended[]) => Script<void> {
  const close = closeQuery(builder);
  const chargeAll = createChargeScript(builder);
  return function* (ended) {
    for (const chunk of chunks(ended, driver.rowsPerInsert)) {
      const closed = yield* ask(close(chunk.map((one) => String(one.values[0]))));
      const written = yield* ask(inserts.held(chunk.map((one) => one.values)));
      const heldById = new Map(closed.map((held) => [held.id, held]));
      const writtenIds = new Set(written.map((row) => row.id));
      yield* chargeAll(
        chunk.flatMap(({ entry, reservation }) => {
          // A row that was there already and stands: this call was settled before.
          if (reservation === null || !writtenIds.has(reservation.id)) return [];
          return [difference({ ...reservation, entry }, heldById.get(reservation.id))];
        }),
      );
    }
  };
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
      sums.set(key, sum === undefined ? one : added(sum, one));
    }
    for (const [, sum] of [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      yield* ask(charge({ ...sum }));
    }
  };
}

function added(a: Charge, b: Charge): Charge {
  return {
    ...a,
    requests: a.requests + b.requests,
    tokens: a.tokens + b.tokens,
    money: a.money + b.money,
  };
}

/**
 * Spent minus held. Without a reservation in the table a recovery took this call for dead and
 * gave its estimate back; then only what was spent is added. The request itself counts as spent
 * unless the call was refused before it reached the upstream.
 */
function difference({ entry, tokenId, day, month }: Place, held: Held | undefined): Charge {
  const usage = plausibleUsage(entry.usage);
  const tokens = usage?.totalTokens ?? 0;
  const money = usage === null ? 0n : (entry.cost ?? 0n);
  return {
    tokenId,
    day,
    month,
    requests: entry.outcome === "refused" ? -1 : 0,
    tokens: tokens - (held?.tokens ?? 0),
    money: money - BigInt(held?.money ?? 0),
  };
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  if (all.length <= size) return all.length === 0 ? [] : [all];
  const parts: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += size) parts.push(all.slice(at, at + size));
  return parts;
}
