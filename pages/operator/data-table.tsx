import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly key: string;
  readonly label: string;
  /** Aligned to the right. */
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

export interface DataTableProps<Row> {
  /** What the table is called where it is read out. */
  readonly title: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Where a row leads: its first cell is the link. */
  readonly linkOf?: (row: Row) => string | null;
  readonly isBusy?: boolean;
}

/** A wide table scrolls by itself, also with the keyboard. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { title, columns, rows, keyOf, isBusy = false } = props;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys
    <section class="scroll" aria-label={title} aria-busy={isBusy} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map(({ key, label, isNumber }) => (
              <th key={key} scope="col" class={isNumber === true ? "number" : undefined}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              <Cells {...props} row={row} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Cells<Row>(props: DataTableProps<Row> & { readonly row: Row }) {
  const { columns, row, linkOf } = props;
  const link = linkOf?.(row) ?? null;
  return (
    <>
      {columns.map(({ key, isNumber, cell }, index) => (
        <td key={key} class={isNumber === true ? "number" : undefined}>
          {index === 0 && link !== null ? <a href={link}>{cell(row)}</a> : cell(row)}
        </td>
      ))}
    </>
  );
}
