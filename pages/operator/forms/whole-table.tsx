import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { DataTable, type DataTableProps } from "../data-table.tsx";

/** In the document; a list comes whole, but is not drawn whole. */
const SHOWN_ROWS = 100;
/** With fewer there is nothing to look for. */
const LEAST_TO_FIND_IN = 12;

interface WholeTableProps<Row> extends DataTableProps<Row> {
  /** What is looked for, in any case. */
  readonly textOf: (row: Row) => string;
  /** What to do where there is nothing. */
  readonly empty: ComponentChildren;
}

/** A list that came in one answer, to be searched here. */
export function WholeTable<Row>({ rows, textOf, empty, ...table }: WholeTableProps<Row>) {
  const id = useId();
  const [wanted, setWanted] = useState("");
  const [shown, setShown] = useState(SHOWN_ROWS);
  const text = wanted.trim().toLowerCase();
  const found = rows.filter((row) => textOf(row).toLowerCase().includes(text));
  if (rows.length === 0) return <div class="empty">{empty}</div>;
  return (
    <>
      {rows.length >= LEAST_TO_FIND_IN && (
        <div class="filters">
          <div class="wide">
            <label for={id}>{t("operator.form.find")}</label>
            <input
              id={id}
              type="search"
              class="whole"
              value={wanted}
              onInput={({ currentTarget }) => {
                setWanted(currentTarget.value);
                setShown(SHOWN_ROWS);
              }}
            />
          </div>
        </div>
      )}
      {found.length === 0 ? (
        <p class="empty">{t("operator.form.none_found")}</p>
      ) : (
        <DataTable {...table} rows={found.slice(0, shown)} />
      )}
      {found.length > shown && (
        <p>
          <button type="button" onClick={() => setShown(shown + SHOWN_ROWS)}>
            {t("operator.form.more", { count: found.length - shown })}
          </button>
        </p>
      )}
    </>
  );
}
