import type { ImportedPrices, PriceBook } from "../../core/accounts/accounts.ts";
import { canonicalPrice, type Price, priceNames } from "../../core/accounts/price.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { ask, type Driver, type Script } from "../driver/driver.ts";
import { type Builder, prepare } from "../driver/queries.ts";
import { isStorable } from "../driver/text.ts";

interface PriceParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly clock: Clock;
}

type History = ReadonlyMap<string, readonly Price[]>;

/** A price changed by another process is seen after this long. */
const cacheMs = 1_000;
/** A model without a price may just have got one: then what was read is old after this. */
const missMs = 50;
const maxModelCharacters = 200;
/** The whole book is kept in memory; a list that is longer than this is not a price list. */
const maxPrices = 20_000;

export function createPrices(parts: PriceParts): PriceBook {
  const book = createCache(parts);
  const write = createWrite(parts);
  return {
    set: async (price) => {
      const added = await parts.driver.transaction(() => write(checked(price)));
      book.forget();
      // The past stays as it was: nothing is put before or over an entry that is there.
      if (added !== "added") throw new ProxyError("field_range", { params: { field: "since" } });
    },
    list: async ({ model, at } = {}) => {
      const history = await book.read(cacheMs);
      const models = model === undefined ? [...history.keys()].toSorted() : [model];
      return models.flatMap((name) => {
        const prices = history.get(name) ?? [];
        if (at === undefined) return prices;
        return prices.find((price) => price.since <= at) ?? [];
      });
    },
    priceOf: async (model, at) => {
      return (
        priceIn(await book.read(cacheMs), model, at) ?? priceIn(await book.read(missMs), model, at)
      );
    },
    import: async (prices) => {
      const valid = prices.map(checked);
      const imported = await parts.driver.transaction(() => writeAll(valid, write));
      book.forget();
      return imported;
    },
  };
}

function priceIn(history: History, model: string, at: number): Price | null {
  const exact = priceOf(history.get(model), at);
  if (exact !== null) return exact;
  for (const name of priceNames(model)) {
    const price = priceOf(history.get(name), at);
    if (price !== null) return price;
  }
  return null;
}

function priceOf(prices: readonly Price[] | undefined, at: number): Price | null {
  return prices?.find((one) => one.since <= at) ?? null;
}

type Write = (price: Price) => Script<"added" | "unchanged" | "older">;

function createWrite({ builder }: PriceParts): Write {
  const newest = prepare<{ model: string }, Price>(({ text }) =>
    builder
      .selectFrom("prices")
      .select(["model", "since", "input", "cached_input as cachedInput", "output"])
      .where("model", "=", text("model"))
      .orderBy("since", "desc")
      .limit(1),
  );
  return function* (price) {
    const [last] = yield* ask(newest({ model: price.model }));
    if (last !== undefined && isSame(last, price)) return "unchanged";
    if (last !== undefined && last.since >= price.since) return "older";
    yield* ask(
      builder
        .insertInto("prices")
        .values({
          model: price.model,
          since: price.since,
          input: price.input,
          cached_input: price.cachedInput,
          output: price.output,
        })
        .compile(),
    );
    return "added";
  };
}

function* writeAll(prices: readonly Price[], write: Write): Script<ImportedPrices> {
  let added = 0;
  let unchanged = 0;
  const skipped: string[] = [];
  for (const price of prices) {
    const result = yield* write(price);
    if (result === "added") added++;
    else if (result === "unchanged") unchanged++;
    else skipped.push(price.model);
  }
  return { added, unchanged, skipped };
}

/** Prices are asked for on every call and change a few times a year. */
function createCache({ driver, builder, clock }: PriceParts) {
  const query = builder
    .selectFrom("prices")
    .select(["model", "since", "input", "cached_input as cachedInput", "output"])
    .orderBy("since", "desc")
    .limit(maxPrices)
    .compile();
  let history: Promise<History> | null = null;
  let readAtMs = 0;
  const load = async (): Promise<History> => {
    const prices = await driver.all<Price>(query);
    return Map.groupBy(prices, (price) => price.model);
  };
  return {
    /** What was read no longer ago than this. */
    read: (maxAgeMs: number): Promise<History> => {
      const nowMs = clock.monotonicMs();
      if (history !== null && nowMs - readAtMs < maxAgeMs) return history;
      readAtMs = nowMs;
      const before = history;
      const loading = load().catch((error: unknown) => {
        // Prices that were right a moment ago serve better than none.
        if (before !== null) return before;
        history = null;
        throw error;
      });
      history = loading;
      return loading;
    },
    forget: () => {
      readAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}

function isSame(a: Price, b: Price): boolean {
  return a.input === b.input && a.cachedInput === b.cachedInput && a.output === b.output;
}

function checked(price: Price): Price {
  const canonical = canonicalPrice(price);
  const named = isStorable(price.model) && price.model.length <= maxModelCharacters;
  if (canonical === null || !named) {
    throw new ProxyError("field_range", { params: { field: `price of ${price.model}` } });
  }
  return canonical;
}
