import { ProxyError } from "../../core/errors.ts";

/** Longest text the ledger keeps of a name, an id or a model. Characters. */
const longest = 200;

/**
 * For texts that others chose and a row must not fail for: Postgres refuses NUL, both databases
 * refuse or change half surrogate pairs, and a row's size needs a bound.
 */
export function cleaned(text: string): string {
  const short = text.length > longest ? text.slice(0, longest) : text;
  // The usual text is clean: one scan, no copy.
  if (short.isWellFormed() && !short.includes("\0")) return short;
  return short.toWellFormed().replaceAll("\0", "\u{FFFD}");
}

export function cleanedOrNull(text: string | null): string | null {
  return text === null ? null : cleaned(text);
}

/** Whether both databases give the text back as it is. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** For texts the operator chose: refused rather than changed. */
export function storable(field: string, text: string, maxCharacters = longest): string {
  if (isStorable(text) && text.length <= maxCharacters) return text;
  throw new ProxyError("field_range", { params: { field } });
}
