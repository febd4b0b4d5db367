import type {
  Ledger,
  LedgerQuery,
  PriceBook,
  Token,
  TokenStore,
} from "../core/accounts/accounts.ts";
import { listedPrices, type Price } from "../core/accounts/price.ts";
import { ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { exportText } from "./export.ts";
import { parseFields } from "./fields.ts";
import priceList from "./price-list.json" with { type: "json" };
import {
  exportFields,
  importedFields,
  importedPrices,
  newPriceFields,
  newTokenFields,
  newTokenOf,
  priceListFields,
  tokenListFields,
  usageFields,
} from "./schemas.ts";
import { shownPrice, shownQuotas, shownSum, withState } from "./shapes.ts";

export interface AdminOptions {
  readonly tokens: TokenStore;
  readonly prices: PriceBook;
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, "wallMs">;
  /** Whether SECRET_KEY is set, without which no upstream key can be stored. */
  readonly canSeal: boolean;
}

export type Admin = ReturnType<typeof createAdmin>;

/**
 * What an operator can do, for the command line and for HTTP. Fields come unchecked, under the
 * names that HTTP gives them; a mistake in one is a ProxyError that names it.
 */
export function createAdmin(options: AdminOptions) {
  return {
    tokens: tokenOperations(options),
    prices: priceOperations(options),
    usage: usageOperations(options),
  };
}

const defaultListed = 1_000;

function tokenOperations({ tokens, ledger, clock, canSeal }: AdminOptions) {
  const shown = async (id: string) => {
    const token = await tokens.show(id);
    if (token === null) throw new ProxyError("token_unknown");
    return withState(token, clock.wallMs());
  };
  return {
    /** The only time that `token`, the secret, is shown. */
    async create(given: unknown) {
      const chosen = newTokenOf(parseFields(newTokenFields(clock.wallMs()), given));
      if (chosen.upstreamKey !== null && !canSeal) throw new ProxyError("secret_key_missing");
      const { token, secret } = await tokens.create(chosen);
      const { id, ...rest } = withState(token, clock.wallMs());
      return { id, token: secret, ...rest };
    },
    /** Oldest first; `next` is what to pass as `after` for more. */
    async list(given: unknown) {
      const { limit, after } = parseFields(tokenListFields, given);
      const most = limit ?? defaultListed;
      const query = after == null ? { limit: most } : { limit: most, after };
      const found = await tokens.list(query);
      return {
        tokens: found.map((token) => withState(token, clock.wallMs())),
        next: found.length < most ? null : (found.at(-1)?.id ?? null),
      };
    },
    async show(id: string) {
      const token = await tokens.show(id);
      if (token === null) throw new ProxyError("token_unknown");
      const nowMs = clock.wallMs();
      const use = await ledger.used(id);
      return { ...withState(token, nowMs), quotas: shownQuotas(token, use, nowMs) };
    },
    /** Once more changes nothing and is no mistake. */
    async revoke(id: string) {
      await tokens.revoke(id);
      return shown(id);
    },
    async reseal() {
      return { resealed: await tokens.reseal() };
    },
  };
}

function priceOperations({ prices, clock }: AdminOptions) {
  /** From now on, or right after a price that was set this very millisecond. */
  const beginning = async (model: string): Promise<number> => {
    const nowMs = clock.wallMs();
    const [newest] = await prices.list({ model });
    return newest?.since === nowMs ? nowMs + 1 : nowMs;
  };
  return {
    async set(given: unknown) {
      const { cached_input, since, ...sides } = parseFields(newPriceFields(clock.wallMs()), given);
      const from = since ?? (await beginning(sides.model));
      const price: Price = { ...sides, cachedInput: cached_input ?? null, since: from };
      const { added, skipped } = await prices.import([price]);
      const [newest = price] = await prices.list({ model: price.model });
      if (skipped.length > 0) throw outdated(newest);
      return { ...shownPrice(newest), changed: added === 1 };
    },
    /** What holds now; with `history` also what held before and what will. */
    async list(given: unknown) {
      const { model, history } = parseFields(priceListFields, given);
      const found = await prices.list({
        ...(model == null ? {} : { model }),
        ...(history === true ? {} : { at: clock.wallMs() }),
      });
      return { prices: found.map(shownPrice) };
    },
    async import(given: unknown) {
      const nowMs = clock.wallMs();
      const list = parseFields(importedFields(nowMs), given);
      return prices.import(importedPrices(list, nowMs));
    },
    /** The list that comes with this release. The operator is told from when and where it is. */
    async importShipped() {
      const { published, source, note } = priceList;
      return { ...(await prices.import(listedPrices(priceList))), published, source, note };
    },
  };
}

function outdated({ model, since }: Price): ProxyError {
  const from = new Date(since).toISOString();
  return new ProxyError("price_outdated", {
    params: { model, since: from },
    details: { since: from },
  });
}

function usageOperations({ tokens, ledger, clock }: AdminOptions) {
  return {
    async sum(given: unknown) {
      const fields = parseFields(usageFields(clock.wallMs()), given);
      const by = fields.by ?? "day";
      const sums = await ledger.sums(by, queryOf(fields));
      const named = by === "token" ? await namesOf(tokens) : null;
      return {
        by,
        usage: sums.map((sum) => ({
          [by]: sum.key,
          ...(named === null ? {} : { name: named.get(sum.key ?? "") ?? null }),
          ...shownSum(sum),
        })),
      };
    },
    /** Oldest first, in pieces of text. */
    export(given: unknown) {
      const fields = parseFields(exportFields(clock.wallMs()), given);
      const format = fields.format ?? "csv";
      return { format, text: exportText(ledger.export(queryOf(fields)), format) };
    },
  };
}

interface Span {
  readonly from?: number | null | undefined;
  readonly to?: number | null | undefined;
  readonly token?: string | null | undefined;
}

function queryOf({ from, to, token }: Span): LedgerQuery {
  return {
    ...(from == null ? {} : { from }),
    ...(to == null ? {} : { to }),
    ...(token == null ? {} : { tokenId: token }),
  };
}

/** More tokens than this are shown by their ids alone. */
const MAX_NAMED_PAGES = 20;

async function namesOf(tokens: Pick<TokenStore, "list">): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  let after: string | undefined;
  for (let page = 0; page < MAX_NAMED_PAGES; page++) {
    const found: readonly Token[] = await tokens.list(after === undefined ? {} : { after });
    for (const { id, name } of found) names.set(id, name);
    after = found.at(-1)?.id;
    if (found.length < defaultListed) break;
  }
  return names;
}
