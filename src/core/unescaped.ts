/** `\u0073`, `\x73`, `%73` (percent-encoded again and again, too), `&#115;`, `&#x73;`, full width and invisible characters. */
const ESCAPES =
  /(?<!\\)\\+(?:u(?:([0-9a-f]{4})|\{([0-9a-f]{1,6})\})|x([0-9a-f]{2}))|%(?:25)*([0-9a-f]{2})|&#x([0-9a-f]{1,6});|&#(\d{1,7});|([\uff01-\uff5e])|[\r\n\p{Default_Ignorable_Code_Point}]/giu;

/** How far the forms of ASCII for East Asian text are from ASCII. */
const FULL_WIDTH = 0xfee0;

/** A text without its escapes, and where each of its characters comes from. */
export interface Unescaped {
  readonly text: string;
  /** Offset in the original of the character at `index`; its length for the end. */
  originOf(index: number): number;
}

/** One pass. Lengths stay as they are outside escapes, so only those are noted. */
export function unescaped(original: string): Unescaped {
  const pieces: string[] = [];
  /** Pairs: from this index on, so much was left out before it. */
  const from: number[] = [];
  const skipped: number[] = [];
  let read = 0;
  let written = 0;
  for (const match of original.matchAll(ESCAPES)) {
    const [whole, unicode, point, byte, percent, hex, decimal, wide] = match;
    const code = unicode ?? point ?? byte ?? percent ?? hex;
    const character = characterOf(
      code === undefined ? plain(decimal, wide) : Number.parseInt(code, 16),
    );
    pieces.push(original.slice(read, match.index), character);
    written += match.index - read + character.length;
    read = match.index + whole.length;
    from.push(written);
    skipped.push(read - written);
  }
  pieces.push(original.slice(read));
  return {
    text: pieces.join(""),
    originOf(index) {
      let low = 0;
      let high = from.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((from[middle] ?? 0) <= index) low = middle + 1;
        else high = middle;
      }
      return index + (skipped[low - 1] ?? 0);
    },
  };
}

function plain(decimal: string | undefined, wide: string | undefined): number {
  return wide === undefined ? Number(decimal) : wide.charCodeAt(0) - FULL_WIDTH;
}

/** Nothing for what is invisible, or no character. */
function characterOf(code: number): string {
  const isVisible = (code >= 0x20 && code < 0x7f) || (code >= 0xa1 && code <= 0xffff);
  return isVisible ? String.fromCharCode(code) : "";
}
