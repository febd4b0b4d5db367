/** A column of a table. */
export interface Column {
  readonly name: string;
  readonly heading: string;
  readonly cells: readonly string[];
  readonly isNumeric: boolean;
  readonly width: number;
}

export const GAP = "  ";
/** What a cell shows that has no value. */
export const NOTHING = "-";
/** A column of text is cut no further. */
const MIN_CUT = 8;
/** These are copied, so they are never cut. */
const WHOLE: ReadonlySet<string> = new Set(["id", "token"]);
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\dZ$/;

/**
 * Columns that fit the room: if all are too wide together, those without a value are left out, then as
 * many of the last as needed, and the widest texts are cut.
 */
export function fittingColumns(all: readonly Column[], room: number): readonly Column[] {
  if (widthOfAll(all, widthOfColumn) <= room) return all;
  const columns = all.filter(({ cells }, at) => at === 0 || cells.some((cell) => cell !== NOTHING));
  while (columns.length > 1 && widthOfAll(columns, minWidth) > room) columns.pop();
  for (let excess = widthOfAll(columns, widthOfColumn) - room; excess > 0; excess--) {
    const widest = columns.filter(mayBeCut).toSorted((a, b) => b.width - a.width)[0];
    if (widest === undefined) break;
    // by one column at a time, so that long texts share the loss
    columns[columns.indexOf(widest)] = { ...widest, width: widest.width - 1 };
  }
  return columns;
}

function widthOfColumn({ width }: Column): number {
  return width;
}

function minWidth(column: Column): number {
  return mayBeCut(column) ? MIN_CUT : column.width;
}

function mayBeCut({ name, isNumeric, cells, width }: Column): boolean {
  const isTime = cells.every((cell) => cell === NOTHING || TIME.test(cell));
  return width > MIN_CUT && !isNumeric && !isTime && !WHOLE.has(name);
}

function widthOfAll(columns: readonly Column[], widthOf: (column: Column) => number): number {
  return columns.reduce((sum, column) => sum + widthOf(column), GAP.length * (columns.length - 1));
}
