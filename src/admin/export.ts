import type { LedgerRow } from "../core/accounts/accounts.ts";
import { exportColumns } from "../storage/ledger/columns.ts";
import { csvLine } from "./csv.ts";

/** Rows are written in pieces of about this size: a write per row would cost more than the row. */
const PIECE_CHARACTERS = 65_536;

/** The rows as text, in pieces. Memory holds one page of rows and one piece. */
export async function* exportText(
  rows: AsyncIterable<LedgerRow>,
  format: "csv" | "jsonl",
): AsyncGenerator<string> {
  const line = format === "csv" ? csvRow : jsonLine;
  let piece = format === "csv" ? csvLine(exportColumns.map(({ name }) => name)) : "";
  try {
    for await (const row of rows) {
      piece += line(row);
      if (piece.length < PIECE_CHARACTERS) continue;
      yield piece;
      piece = "";
    }
  } catch (error) {
    // the rows that there were are worth having
    yield piece;
    throw error;
  }
  if (piece !== "") yield piece;
}

function jsonLine(row: LedgerRow): string {
  const shown = exportColumns.map(({ name, value }) => [name, value(row)]);
  return `${JSON.stringify(Object.fromEntries(shown))}\n`;
}

function csvRow(row: LedgerRow): string {
  return csvLine(exportColumns.map(({ value }) => value(row)));
}
