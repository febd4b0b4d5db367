import type { ImportedPrices, NewPrice, PriceBook } from "../../core/accounts/accounts.ts";
import { canonicalPrice, type Price, priceNames } from "../../core/accounts/price.ts";
import { extraNames } from "../../core/accounts/price-fields.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { recordChanges } from "../changes/record.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query, type Transaction } from "../driver/driver.ts";
import { columnName, prepare, selectionOf } from "../driver/queries.ts";
import type { LatestMoment } from "./latest-moment.ts";
import { type AddedPrice, priceChanges } from "./price-changes.ts";

type History = ReadonlyMap<string, readonly Price[]>;

/** How long a price that another process changed may stay unseen. */
const CACHE_MS = 1_000;
/** The same for a model without a price, which may just have got one. */
const MISS_MS = 50;
/** How long a call waits while the book is read again: then it takes the prices that are known. */
const MAX_REREAD_MS = 100;
const MAX_MODEL_CHARACTERS = 200;
/** The whole book is kept in memory; no real price list is longer. */
const MAX_PRICES = 20_000;

const sides = ["input", "cachedInput", "output", ...extraNames] as const;
const priceSelection = selectionOf(["model", "since", ...sides]);

export function createPrices(database: Database, clock: Clock, latest: LatestMoment): PriceBook {
  const book = createCache(database, clock);
  const nowMs = () => latest.atLeast(clock.wallMs());
  const write = createWrite(database, latest, nowMs);
  const writeBook = (prices: readonly NewPrice[], isImport: boolean) =>
    database.driver.transaction(function* () {
      const added: AddedPrice[] = [];
      const imported = yield* writeAll(prices, write, added);
      const changes = priceChanges(added, isImport);
      yield* recordChanges(database.builder, clock.wallMs(), changes);
      return imported;
    });
  /** For prices, time never runs backwards: what the clock went back is added to its time. */
  const moment = (at: number) => at + (nowMs() - clock.wallMs());
  return {
    set: async (price) => {
      const { added } = await writeBook([checked(price)], false);
      book.forget();
      // History stays as it is: nothing is added before or over an entry.
      if (added === 0) throw new ProxyError("field_range", { params: { field: "since" } });
    },
    list: async ({ model, at } = {}) => {
      const history = await book.read(CACHE_MS);
      const models = model === undefined ? [...history.keys()].toSorted() : [model];
      return models.flatMap((name) => {
        const prices = history.get(name) ?? [];
        return at === undefined ? prices : (priceAt(prices, moment(at)) ?? []);
      });
    },
    priceOf: async (model, at) => {
      const known = priceIn(await book.readSoon(CACHE_MS), model, moment(at));
      return known ?? priceIn(await book.readSoon(MISS_MS), model, moment(at));
    },
    import: async (prices) => {
      const valid = prices.map(checked);
      const imported = await writeBook(valid, prices.length > 1);
      book.forget();
      return imported;
    },
  };
}

function priceIn(history: History, model: string, at: number): Price | null {
  for (const name of priceNames(model)) {
    const price = priceAt(history.get(name) ?? [], at);
    if (price !== undefined) return price;
  }
  return null;
}

function priceAt(newestFirst: readonly Price[], at: number): Price | undefined {
  return newestFirst.find(({ since }) => since <= at);
}

type Write = (price: NewPrice, added: AddedPrice[]) => Transaction<"added" | "unchanged" | "older">;

function createWrite({ builder }: Database, latest: LatestMoment, nowMs: () => number): Write {
  const newest = prepare<{ model: string }, Price>(({ text }) =>
    builder
      .selectFrom("prices")
      .select(priceSelection)
      .where("model", "=", text("model"))
      .orderBy("since", "desc")
      .limit(1),
  );
  return function* (price, added) {
    const [last] = yield* query(newest({ model: price.model }));
    if (last !== undefined && isSame(last, price)) return "unchanged";
    const since = price.since ?? startAfter(last, nowMs());
    if (last !== undefined && last.since >= since) return "older";
    const row = sides.map((side) => [columnName(side), price[side] ?? null]);
    const values = { model: price.model, since, ...Object.fromEntries(row) };
    yield* query(builder.insertInto("prices").values(values).compile());
    added.push({ before: last ?? null, after: { ...price, since } });
    // A price that begins now is in force from now on, whatever the clock says later.
    if (price.since === null) yield* latest.mark(since);
    return "added";
  };
}

/** Now, or right after a price that was set in this millisecond. */
function startAfter(last: Price | undefined, nowMs: number): number {
  return last?.since === nowMs ? nowMs + 1 : nowMs;
}

function* writeAll(
  prices: readonly NewPrice[],
  write: Write,
  added: AddedPrice[],
): Transaction<ImportedPrices> {
  const counts = { added: 0, unchanged: 0 };
  const skipped: string[] = [];
  for (const price of prices) {
    const result = yield* write(price, added);
    if (result === "older") skipped.push(price.model);
    else counts[result]++;
  }
  return { ...counts, skipped };
}

/** Every call needs a price, and prices change a few times a year. */
function createCache({ driver, builder }: Database, clock: Clock) {
  const all = builder
    .selectFrom("prices")
    .select(priceSelection)
    .orderBy("since", "desc")
    .limit(MAX_PRICES)
    .compile();
  let history: Promise<History> | null = null;
  /** What was read last; null if that may be wrong. */
  let known: History | null = null;
  let isReading = false;
  let readAtMs = 0;
  const read = async (before: Promise<History> | null): Promise<History> => {
    isReading = true;
    try {
      known = Map.groupBy(await driver.all<Price>(all), ({ model }) => model);
      return known;
    } catch (error) {
      // Prices that were right a moment ago are better than none.
      if (before !== null) return before;
      history = null;
      throw error;
    } finally {
      isReading = false;
    }
  };
  const cache = {
    /** Reads the book again if it was read longer ago than this. */
    read: (maxAgeMs: number): Promise<History> => {
      const nowMs = clock.monotonicMs();
      if (history !== null && nowMs - readAtMs < maxAgeMs) return history;
      readAtMs = nowMs;
      history = read(history);
      return history;
    },
    /** The same, but what was read last if the database does not answer soon. */
    readSoon: (maxAgeMs: number): Promise<History> => {
      const latest = cache.read(maxAgeMs);
      return isReading && known !== null ? soon(latest, known) : latest;
    },
    forget: () => {
      readAtMs = Number.NEGATIVE_INFINITY;
      known = null;
    },
  };
  return cache;
}

function soon(latest: Promise<History>, known: History): Promise<History> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(resolve, MAX_REREAD_MS, known);
    latest.finally(() => clearTimeout(late)).then(resolve, reject);
  });
}

function isSame(a: NewPrice, b: NewPrice): boolean {
  return sides.every((side) => (a[side] ?? null) === (b[side] ?? null));
}

function checked(price: NewPrice): NewPrice {
  const canonical = canonicalPrice({ ...price, since: price.since ?? 0 });
  const named = isStorable(price.model) && price.model.length <= MAX_MODEL_CHARACTERS;
  if (canonical === null || !named) {
    throw new ProxyError("field_range", { params: { field: `price of ${price.model}` } });
  }
  return { ...canonical, since: price.since };
}
