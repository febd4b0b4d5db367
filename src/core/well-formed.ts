const REPLACEMENT = "\ufffd";
/** A backslash that is escaped itself, or half a surrogate pair. */
const ESCAPES = /\\(?:\\|u(d[89a-f][0-9a-f]{2}))/g;

/** JSON without half surrogate pairs: many servers can't parse them, and one that is kept spoils its chat. */
export function wellFormedJson(value: unknown): string {
  return withoutHalves(JSON.stringify(value));
}

/**
 * Puts U+FFFD for each half in what `JSON.stringify` wrote. It escapes halves only and leaves whole
 * pairs as they are, so nearly every text is just searched, natively.
 */
export function withoutHalves(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replace(ESCAPES, (found, half) => (half === undefined ? found : REPLACEMENT));
}
