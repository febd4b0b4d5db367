import { ProxyError } from "../../core/errors.ts";

/** For a name, an id or a model. */
const MAX_CHARACTERS = 200;

/**
 * For texts that others chose and a row must not fail for: Postgres refuses NUL, both databases
 * refuse or change half surrogate pairs, and a row's size needs a bound.
 */
export function cleaned<Text extends string | null>(text: Text): Text {
  if (text === null) return text;
  const short = text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS) : text;
  // The usual text is clean: one scan, no copy.
  const clean = isStorable(short) ? short : short.toWellFormed().replaceAll("\0", "\u{FFFD}");
  // The value of the same column.
  return clean as Text;
}

/** Whole milliseconds. The database refuses a time that is not a number where it needs one. */
export function wholeMs<Ms extends number | null>(ms: Ms): Ms {
  // The value of the same column.
  return (ms === null || !Number.isFinite(ms) ? null : Math.round(ms)) as Ms;
}

/** Whether both databases give the text back as it is. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** For texts the operator chose: refused rather than changed. */
export function storable(field: string, text: string, maxCharacters = MAX_CHARACTERS): string {
  if (isStorable(text) && text.length <= maxCharacters) return text;
  throw new ProxyError("field_range", { params: { field } });
}
