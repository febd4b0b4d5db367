import { type Column, fittingColumns, GAP, NOTHING } from "./columns.ts";
import type { Screen, Style } from "./screen.ts";
import { painted } from "./screen.ts";
import type { Texts } from "./texts.ts";
import { cutTo, paddedEnd, paddedStart, widthOf } from "./width.ts";

/** How values are shown to people: in whose language, and where. */
export interface Look {
  readonly texts: Texts;
  readonly screen: Screen;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Aligned columns under the names of these fields; null is shown as "-". On a terminal it fits the width:
 * see fittingColumns; a line says how many were left out.
 */
export function table(names: readonly string[], rows: readonly Row[], look: Look): string {
  const { texts, screen } = look;
  const all = names.map((name) => columnOf(name, rows, look));
  const shown = screen.columns === null ? all : fittingColumns(all, screen.columns);
  const headings = shown.map(({ heading, ...column }) =>
    aligned(cutTo(heading, column.width), column),
  );
  const lines = rows.map((_, at) => {
    const cells = shown.map((column, place) => {
      const cell = aligned(cutTo(column.cells[at] ?? "", column.width), column);
      // blanks at the end of a line would wrap it
      return withColor(place === shown.length - 1 ? cell.trimEnd() : cell, rows[at], column, look);
    });
    return cells.join(GAP).trimEnd();
  });
  const head = painted(headings.join(GAP).trimEnd(), "heading", screen);
  const left = all.length - shown.length;
  const note = left === 0 ? [] : [texts.say("help.columns_left_out", { number: left })];
  return [head, ...lines, ...note].map((line) => `${line}\n`).join("");
}

/** A line for each field that is set: its name in words and its value. */
export function fieldLines(shown: object, look: Look): string {
  const entries = Object.entries(shown).filter(
    ([, value]) => value !== null && String(value) !== "",
  );
  const lines = entries.map(([name, value]) => [headingOf(name, look), name, value] as const);
  const width = Math.max(...lines.map(([heading]) => widthOf(heading)));
  return lines
    .map(([heading, name, value]) => {
      const text = colored(printable(inWords(name, value, look)), name, value, look);
      return `${painted(paddedEnd(heading, width), "heading", look.screen)}${GAP}${text}\n`;
    })
    .join("");
}

function columnOf(name: string, rows: readonly Row[], look: Look): Column {
  const cells = rows.map((row) => printable(inWords(name, shortTime(row[name], look), look)));
  const known = cells.filter((cell) => cell !== NOTHING);
  const isNumeric = known.length > 0 && known.every((cell) => /^[\d.]+$/.test(cell));
  const heading = inCapitals(headingOf(name, look));
  const width = Math.max(...[heading, ...cells].map(widthOf));
  return { name, heading, cells, isNumeric, width };
}

function aligned(text: string, { isNumeric, width }: Pick<Column, "isNumeric" | "width">): string {
  return isNumeric ? paddedStart(text, width) : paddedEnd(text, width);
}

const ISO_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\.\d{3}Z$/;

/** People read minutes; programs get the pipe's or --json's. */
function shortTime(value: unknown, { screen }: Look): unknown {
  if (screen.columns === null || typeof value !== "string") return value;
  return value.replace(ISO_TIME, "$1 $2Z");
}

/** The words of closed sets are translated: a state, a kind of quota. */
function inWords(name: string, value: unknown, { texts }: Look): unknown {
  if (typeof value === "boolean") return texts.say(`value.${value}`);
  if (typeof value !== "string" || !/^[a-z_]+$/.test(value)) return value;
  return texts.find(`value.${name}.${value}`) ?? value;
}

function headingOf(name: string, { texts }: Look): string {
  return texts.find(`heading.${name}`) ?? name.replaceAll("_", " ");
}

/** Chinese has none, and the English words in it stay as they are written. */
function inCapitals(heading: string): string {
  return /\p{Script=Han}/u.test(heading) ? heading : heading.toUpperCase();
}

const stateStyles: Readonly<Record<string, Style>> = {
  valid: "good",
  disabled: "warning",
  expired: "bad",
  revoked: "bad",
};

function withColor(cell: string, row: Row | undefined, { name }: Column, look: Look): string {
  return colored(cell, name, row?.[name], look);
}

function colored(text: string, name: string, value: unknown, { screen }: Look): string {
  const style = name === "state" ? stateStyles[String(value)] : undefined;
  return style === undefined ? text : painted(text, style, screen);
}

/** Clients choose models' names: a control character must not reach the terminal. */
export function printable(value: unknown): string {
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  if (text === "") return NOTHING;
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
}
