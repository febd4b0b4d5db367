import { sql } from "kysely";
import { entryColumns } from "../ledger/entry.ts";
import { forRows } from "./many-rows.ts";
import type { Builder } from "./queries.ts";

interface Written {
  readonly id: string;
}

/**
 * Inserts of ledger rows. `fresh` rows have new ids; a row that is there already is the same row,
 * written by an attempt whose answer was lost. `held` rows carry their reservation's id and may
 * replace the row that a recovery wrote too early; they return the ids that were written.
 */
export function createInserts(builder: Builder) {
  const into = builder.insertInto("ledger").columns(entryColumns);
  return {
    fresh: forRows(entryColumns, (values) =>
      into.expression(values).onConflict((conflict) => conflict.columns(KEY).doNothing()),
    ),
    held: forRows<Written>(entryColumns, (values) =>
      into
        .expression(values)
        .onConflict((conflict) =>
          conflict
            .columns(KEY)
            .doUpdateSet(
              Object.fromEntries(
                entryColumns
                  .filter((column) => !KEY.includes(column))
                  .map((column) => [column, sql.ref(`excluded.${column}`)]),
              ),
            )
            .where("ledger.state", "=", sql.lit("recovered")),
        )
        .returning("id"),
    ),
  };
}

/** A row keeps its id and its time, whoever writes it. */
const KEY: readonly (typeof entryColumns)[number][] = ["at", "id"];
