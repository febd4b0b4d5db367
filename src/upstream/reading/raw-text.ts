import { PassedTokens } from "../../core/call/passed-tokens.ts";

const BACKSLASH = 0x5c;
const HEX_DIGITS = 4;

/**
 * Counts the tokens of texts as they stand in JSON: UTF-8 as Latin-1, with escapes, cut anywhere.
 */
export class RawText extends PassedTokens {
  #isEscaped = false;
  /** Hex digits of an escape that are still to come. */
  #digits = 0;
  #unit = 0;

  addRaw(raw: string, from: number, to: number): void {
    const plain = this.#isEscaped || this.#digits > 0 ? from : this.#addPlain(raw, from, to);
    for (let at = plain; at < to; at += 1) {
      const byte = raw.charCodeAt(at);
      if (this.#isEscaped || this.#digits > 0) this.#escape(byte);
      else if (byte === BACKSLASH) this.#isEscaped = true;
      // the first byte of a character alone, and none of the others
      else if (byte < 0x80 || byte >= 0xc0) this.count(byte);
    }
  }

  /** Returns where the first escape is. Most texts have none. */
  #addPlain(raw: string, from: number, to: number): number {
    let ascii = 0;
    let others = 0;
    let at = from;
    for (; at < to; at += 1) {
      const byte = raw.charCodeAt(at);
      if (byte === BACKSLASH) break;
      if (byte < 0x80) ascii += 1;
      else if (byte >= 0xc0) others += 1;
    }
    this.countAll(ascii, others);
    return at;
  }

  #escape(byte: number): void {
    if (this.#isEscaped) {
      this.#isEscaped = false;
      this.#unit = 0;
      if (byte === 0x75) this.#digits = HEX_DIGITS;
      else this.count(byte);
      return;
    }
    // a letter's low bits are 1 to 6, a digit's its value
    this.#unit = this.#unit * 16 + (byte & 15) + (byte > 0x40 ? 9 : 0);
    this.#digits -= 1;
    if (this.#digits === 0) this.count(this.#unit);
  }
}
