/** One amount of a duration: `1h`, `12 ms`, ` and 30 seconds`. Without a unit it is seconds. */
const AMOUNT =
  /(?:,? and |,? )?(\d{1,9}(?:\.\d{1,9})?)(?: ?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])|(?! ?[a-z\d]|\.\d))/iy;
/** By how a unit begins; the first that fits. */
const UNITS_MS: readonly (readonly [begins: string, ms: number])[] = [
  ["mil", 1],
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
];
/** Nobody writes more units than there are. */
const MAX_AMOUNTS = 6;
/** In a text for people: "try again in 6m0s", "retry after 20 seconds", "resets in 1 minute". */
const BEFORE_WAIT =
  /\b(?:try(?: your request)? again|retry(?: your request)?|retry-after:|wait|resets?|available)(?: again)?(?: in| after| for)?(?: about| approximately| at least)? (?=\d)/i;

/** A duration as Go, ISO 8601 or people write it, and nothing else; in milliseconds. */
export function durationIn(given: string): number | undefined {
  const text = given.replace(/^PT(?=\d)/i, "");
  const { ms, end } = amountsAt(text, 0);
  return end > 0 && end === text.length ? ms : undefined;
}

/** The wait that a text asks for. */
export function waitInWords(words: string): number | undefined {
  const found = BEFORE_WAIT.exec(words);
  if (found === null) return undefined;
  const from = found.index + found[0].length;
  const { ms, end } = amountsAt(words, from);
  return end > from ? ms : undefined;
}

/** The sum of the amounts that follow each other, and where they end. */
function amountsAt(text: string, from: number): { ms: number; end: number } {
  let ms = 0;
  let end = from;
  for (let amounts = 0; amounts < MAX_AMOUNTS; amounts += 1) {
    AMOUNT.lastIndex = end;
    const match = AMOUNT.exec(text);
    if (match === null) break;
    const [whole, amount, unit = "s"] = match;
    ms += Number(amount) * unitMs(unit.toLowerCase());
    end += whole.length;
  }
  return { ms, end };
}

function unitMs(unit: string): number {
  return UNITS_MS.find(([begins]) => unit.startsWith(begins))?.[1] ?? 0;
}
