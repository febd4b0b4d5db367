/** Columns for people: `rows` hold what `columns` name; null is shown as "-". */
export function table(
  columns: Readonly<Record<string, string>>,
  rows: readonly Readonly<Record<string, unknown>>[],
): string {
  const names = Object.keys(columns);
  const cells = rows.map((row) => names.map((name) => printable(row[name])));
  const numeric = names.map((_, at) => cells.every((row) => /^(-|[\d.]+)$/.test(row[at] ?? "")));
  const all = [Object.values(columns), ...cells];
  const widths = names.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return numeric[at] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** One name and value a line, without what is not set. */
export function facts(shown: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(shown).filter(([, value]) => value !== null && value !== "");
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${words(name).padEnd(width)}  ${printable(value)}\n`)
    .join("");
}

export function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** Clients choose models' names: a control character must not reach the terminal. */
function printable(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  const text = Array.isArray(value) ? value.join(", ") : String(value);
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
}
