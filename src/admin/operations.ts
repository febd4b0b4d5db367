import type { Ledger, PriceBook, TokenStore } from "../core/accounts/accounts.ts";
import type { GroupStore } from "../core/accounts/groups.ts";
import type { Price } from "../core/accounts/price.ts";
import { fieldError } from "../core/common-errors.ts";
import { ProxyError } from "../core/errors.ts";
import type { CallCounts } from "../core/reports/call-counts.ts";
import type { Reports } from "../core/reports/reports.ts";
import type { RoutingStore } from "../core/routing/routing.ts";
import type { StatusWarning } from "../dialects/status/routes.ts";
import { exportText } from "./export.ts";
import { parseFields, type WallClock } from "./fields.ts";
import { groupOperations } from "./group-operations.ts";
import { litellmPrices } from "./litellm-prices.ts";
import { present } from "./present.ts";
import priceList from "./price-list.json" with { type: "json" };
import { importedPrices, priceOf } from "./price-schemas.ts";
import { reportOperations } from "./report-operations.ts";
import { routeOperations } from "./route-operations.ts";
import { createSchemas, type Schemas } from "./schemas.ts";
import { allTokens, tokenOperations } from "./token-operations.ts";
import { type UpstreamPorts, upstreamOperations } from "./upstream-operations.ts";
import { shownPrice, shownSum } from "./views.ts";

export interface AdminOptions {
  readonly tokens: TokenStore;
  readonly groups: GroupStore;
  readonly prices: PriceBook;
  readonly ledger: Ledger;
  readonly routing: RoutingStore;
  readonly reports: Reports;
  readonly callCounts: CallCounts;
  readonly upstreams: UpstreamPorts;
  /** Left out where no calls are made. */
  readonly warnings?: () => readonly StatusWarning[];
  readonly clock: WallClock;
  /** Whether SECRET_KEY is set. Storing a key or another secret of an upstream requires it. */
  readonly canSeal: boolean;
}

export type Admin = ReturnType<typeof createAdmin>;

/**
 * What an operator can do, on the command line and over HTTP. Fields come unchecked, named as over
 * HTTP. A mistake is a ProxyError that names the field.
 */
export function createAdmin(options: AdminOptions) {
  const schemas = createSchemas(options.clock);
  return {
    tokens: tokenOperations(options, schemas),
    groups: groupOperations(options, schemas),
    prices: priceOperations(options, schemas),
    usage: usageOperations(options, schemas),
    upstreams: upstreamOperations(options),
    routes: routeOperations(options),
    reports: reportOperations(options),
  };
}

function priceOperations({ prices, clock }: AdminOptions, schemas: Schemas) {
  return {
    async set(given: unknown) {
      const { since, ...fields } = parseFields(schemas.newPrice, given);
      const price = { ...priceOf(fields), since: since ?? null };
      const { added, skipped } = await prices.import([price]);
      const [newest = { ...price, since: 0 }] = await prices.list({ model: price.model });
      if (skipped.length > 0) throw outdated(newest);
      return { ...shownPrice(newest), changed: added === 1 };
    },
    /** Current prices; with `history` also past and future ones. */
    async list(given: unknown) {
      const { model, history } = parseFields(schemas.priceList, given);
      const at = history === true ? null : clock.wallMs();
      const found = await prices.list(present({ model, at }));
      return { prices: found.map(shownPrice) };
    },
    async import(given: unknown, form: unknown = {}) {
      const { format, provider } = parseFields(schemas.importForm, form);
      if (format === "litellm") {
        const { prices: read, ...rest } = litellmPrices(given, provider ?? null);
        return { ...(await prices.import(read)), ...rest };
      }
      if (provider != null) {
        throw fieldError("field_needs", "provider", { other: "format" });
      }
      const list = parseFields(schemas.imported, given);
      return prices.import(importedPrices(list, clock.wallMs()));
    },
    /** The list of this release, with its date and source, so that the operator can check it. */
    async importShipped() {
      const { published, source, note } = priceList;
      const list = parseFields(schemas.imported, priceList);
      const done = await prices.import(importedPrices(list, clock.wallMs()));
      return { ...done, published, source, note };
    },
  };
}

function outdated(newest: Price): ProxyError {
  const { model, since } = shownPrice(newest);
  return new ProxyError("price_outdated", { params: { model, since }, details: { since } });
}

function usageOperations({ tokens, ledger }: AdminOptions, schemas: Schemas) {
  return {
    async sum(given: unknown) {
      const { by: chosen, token, ...span } = parseFields(schemas.usage, given);
      const by = chosen ?? "day";
      const sums = await ledger.sums(by, present({ ...span, tokenId: token }));
      const named = by === "token" ? await namesOf(tokens) : null;
      return {
        by,
        usage: sums.map((sum) => ({
          [by]: sum.key,
          ...(named && { name: named.get(sum.key ?? "") ?? null }),
          ...shownSum(sum),
        })),
      };
    },
    /** Oldest first, in pieces of text. */
    export(given: unknown) {
      const { format: chosen, token, ...span } = parseFields(schemas.export, given);
      const format = chosen ?? "csv";
      const rows = ledger.export(present({ ...span, tokenId: token }));
      return { format, text: exportText(rows, format) };
    },
  };
}

async function namesOf(tokens: TokenStore): Promise<ReadonlyMap<string, string>> {
  const names = await Array.fromAsync(allTokens(tokens), ({ id, name }) => [id, name] as const);
  return new Map(names);
}
