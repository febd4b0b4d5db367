import { type ComponentChildren, Fragment } from "preact";
import { useId, useState } from "preact/hooks";
import { padsOf } from "../shared/align.ts";

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
  /** What more is said of a row: its first cell unfolds that. */
  readonly detailOf?: (row: Row) => ComponentChildren;
  readonly isBusy?: boolean;
}

/** A wide table scrolls by itself, also with the keyboard. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { title, columns, rows, keyOf, detailOf, isBusy = false } = props;
  const pads = columns.map(({ cell, isNumber }) =>
    isNumber === true ? padsOf(rows.map(cell)) : [],
  );
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
          {rows.map((row, index) => {
            const own = { ...props, row, pads: pads.map((column) => column[index]) };
            return detailOf === undefined ? (
              <tr key={keyOf(row)}>
                <Cells {...own} />
              </tr>
            ) : (
              <UnfoldingRow key={keyOf(row)} {...own} detailOf={detailOf} />
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps<Row> extends DataTableProps<Row> {
  readonly row: Row;
  /** Of each cell: see align.ts. */
  readonly pads: readonly (string | undefined)[];
}

function UnfoldingRow<Row>(props: RowProps<Row> & Required<Pick<RowProps<Row>, "detailOf">>) {
  const { columns, row, detailOf } = props;
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <Fragment>
      <tr>
        <Cells
          {...props}
          wrap={(first) => (
            <button
              type="button"
              class="plain unfold"
              aria-expanded={isOpen}
              aria-controls={isOpen ? id : undefined}
              onClick={() => setOpen(!isOpen)}
            >
              {first}
            </button>
          )}
        />
      </tr>
      {isOpen && (
        <tr id={id} class="detail">
          <td colSpan={columns.length}>{detailOf(row)}</td>
        </tr>
      )}
    </Fragment>
  );
}

interface CellsProps<Row> extends RowProps<Row> {
  readonly wrap?: (first: ComponentChildren) => ComponentChildren;
}

function Cells<Row>({ columns, row, pads, linkOf, wrap }: CellsProps<Row>) {
  const link = linkOf?.(row) ?? null;
  const linked = (first: ComponentChildren) => (link === null ? first : <a href={link}>{first}</a>);
  const lead = wrap ?? linked;
  return (
    <>
      {columns.map(({ key, isNumber, cell }, index) => (
        <td key={key} class={isNumber === true ? "number" : undefined} data-pad={pads[index]}>
          {index === 0 ? lead(cell(row)) : cell(row)}
        </td>
      ))}
    </>
  );
}
