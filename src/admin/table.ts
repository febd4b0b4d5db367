/** Aligned columns under the names of these fields; null is shown as "-". */
export function table(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): string {
  const cells = rows.map((row) => columns.map((name) => printable(row[name])));
  const numeric = columns.map((_, at) => cells.every((row) => /^(-|[\d.]+)$/.test(row[at] ?? "")));
  const all = [columns.map((name) => inWords(name).toUpperCase()), ...cells];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  const align = (cell: string, at: number) =>
    numeric[at] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
  return all.map((row) => `${row.map(align).join("  ").trimEnd()}\n`).join("");
}

/** A line for each field that is set: its name in words and its value. */
export function fieldLines(shown: object): string {
  const entries = Object.entries(shown).filter(
    ([, value]) => value !== null && String(value) !== "",
  );
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${inWords(name).padEnd(width)}  ${printable(value)}\n`)
    .join("");
}

function inWords(name: string): string {
  return name.replaceAll("_", " ");
}

/** Clients choose models' names: a control character must not reach the terminal. */
export function printable(value: unknown): string {
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  if (text === "") return "-";
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
}
