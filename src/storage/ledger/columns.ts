import { createHash } from "node:crypto";
import type { LedgerEntry, LedgerRow } from "../../core/accounts/accounts.ts";
import { formatMoney } from "../../core/accounts/money.ts";
import { cost, isPlausible, priceText } from "../../core/accounts/price.ts";
import { toStorable, wholeMs } from "../driver/driver.ts";
import { columnName, type RowValues, selectionOf } from "../driver/queries.ts";

/** A ledger row as it is stored, with its columns named as the fields of `LedgerRow`. */
export interface StoredRow extends Omit<LedgerRow, "cost"> {
  /** `settled` by the process that made the call, or `recovered` after its death. */
  readonly state: "settled" | "recovered";
  readonly cost: LedgerEntry["cost"];
}

interface Column<Value> {
  readonly value: (entry: LedgerEntry, id: LedgerRow["id"]) => Value;
  /** Its name in CSV and JSON where that differs from the column's. */
  readonly exported?: string;
}

/** Never used; kept so that column positions in exports don't change. */
const noColumn = { value: null, exported: "status" } as const;

type Columns = { readonly [Field in keyof StoredRow]: Column<StoredRow[Field]> };

/** Every column of the ledger, in the order of exports. All other lists derive from this one. */
const columns: Columns & { readonly status: typeof noColumn } = {
  id: { value: (_, id) => id },
  state: { value: () => "settled" },
  requestId: { value: ({ requestId }) => toStorable(requestId) },
  at: { value: ({ at }) => wholeMs(at), exported: "time" },
  payerKind: { value: ({ payer }) => payer.kind, exported: "payer" },
  tokenId: { value: ({ payer }) => toStorable(payer.tokenId), exported: "token" },
  keyDigest: { value: ({ payer }) => digestOnly(payer.keyDigest) },
  dialect: { value: ({ dialect }) => toStorable(dialect) },
  model: { value: ({ model }) => toStorable(model) },
  answeredBy: { value: ({ answeredBy }) => toStorable(answeredBy) },
  promptTokens: { value: ({ usage }) => usage?.promptTokens ?? null },
  cachedTokens: { value: ({ usage }) => usage?.cachedTokens ?? null },
  completionTokens: { value: ({ usage }) => usage?.completionTokens ?? null },
  totalTokens: { value: ({ usage }) => usage?.totalTokens ?? null },
  price: {
    value: ({ price, usage, units }) => (price === null ? null : priceText(price, usage, units)),
  },
  cost: { value: ({ cost }) => cost },
  provenance: {
    value: ({ usage, units, provenance }) => ((usage ?? units) ? provenance : "unknown"),
  },
  outcome: { value: ({ outcome }) => outcome },
  onDisconnect: { value: ({ onDisconnect }) => toStorable(onDisconnect) },
  status: noColumn,
  error: { value: ({ error }) => error },
  firstTokenMs: { value: ({ firstTokenMs }) => wholeMs(firstTokenMs) },
  durationMs: { value: ({ durationMs }) => wholeMs(durationMs) },
  upstreamId: { value: ({ upstreamId }) => toStorable(upstreamId) },
  upstream: { value: ({ upstream }) => toStorable(upstream) },
  upstreamModel: { value: ({ upstreamModel }) => toStorable(upstreamModel) },
  tries: { value: ({ tries }) => tries },
};

// Object.keys forgets the type of the keys.
const declared = Object.keys(columns) as (keyof typeof columns)[];
const fields = declared.filter((field) => field !== "status");
const rowFields = fields.filter((field) => field !== "state");
const values = fields.map((field) => columns[field].value);

/** The columns of an insert, in the order that `settledValues` and `knownValues` bind. */
export const ledgerColumns = fields.map(columnName);

/** The entry, without counts that no model could have produced: they are unknown. */
export function withoutImplausibleUsage(entry: LedgerEntry): LedgerEntry {
  if (entry.usage === null || isPlausible(entry.usage)) return entry;
  return { ...entry, usage: null, cost: cost(null, entry.price, entry.units) };
}

/** Makes what clients and upstreams chose storable: a row must never fail for what a stranger sent. */
export function settledValues(id: LedgerRow["id"], entry: LedgerEntry): RowValues {
  return values.map((value) => value(entry, id));
}

type NotNull = { [F in keyof StoredRow]: null extends StoredRow[F] ? never : F }[keyof StoredRow];

/** A row of which only some columns are known; the others are null. */
export function knownValues(row: Partial<StoredRow> & Pick<StoredRow, NotNull>): RowValues {
  return fields.map((field) => row[field] ?? null);
}

/** Selects a `LedgerRow`, but for its cost, which `ledgerRow` writes as money. */
export const ledgerSelection = selectionOf(rowFields, "cost");

export function ledgerRow(row: LedgerRow): LedgerRow {
  return { ...row, cost: row.cost === null ? null : formatMoney(BigInt(row.cost)) };
}

/** The columns of CSV and JSON. */
export const exportColumns = declared.flatMap((field) => {
  if (field === "state") return [];
  const name = columns[field].exported ?? columnName(field);
  const value = (row: LedgerRow): string | number | null => {
    if (field === "status") return null;
    return field === "at" ? new Date(row.at).toISOString() : row[field];
  };
  return [{ name, value }];
});

/** A key given by mistake instead of its digest is hashed rather than kept. */
function digestOnly<Digest extends string | null>(digest: Digest): Digest {
  if (digest === null || /^[0-9a-f]{16,128}$/.test(digest)) return digest;
  // Cast: this hash is a digest of the key, too.
  return createHash("sha256").update(digest).digest("hex") as Digest;
}
