const AMOUNT = /^\$\d+\.(\d+)$/;

/**
 * The digits that amounts of a column lack, so that the points stand below each other: for `data-pad` of
 * the cells, which the sheet draws unseen. Undefined: what is no amount, or lacks none.
 */
export function padsOf(cells: readonly unknown[]): readonly (string | undefined)[] {
  const digits = cells.map((cell) => AMOUNT.exec(String(cell))?.[1]?.length ?? 0);
  const most = Math.max(0, ...digits);
  return digits.map((own) => (own === 0 || own === most ? undefined : "0".repeat(most - own)));
}
