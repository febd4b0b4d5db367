/** English has about four characters a token. */
const ASCII_PER_TOKEN = 4;

/**
 * Estimates the tokens of a text while it passes in pieces. An upstream mostly sends a token a piece;
 * where it sends more at once, the characters tell. A class, because there is one for each open stream.
 */
export class PassedTokens {
  #pieces = 0;
  #ascii = 0;
  #others = 0;

  /** The larger of the pieces and the characters: four of ASCII, or one other, are a token. */
  get tokens(): number {
    return Math.max(this.#pieces, Math.ceil(this.#ascii / ASCII_PER_TOKEN) + this.#others);
  }

  /** Takes the next piece. */
  add(piece: string): void {
    if (piece === "") return;
    this.beginPiece();
    for (let at = 0; at < piece.length; at += 1) this.count(piece.charCodeAt(at));
  }

  /** For a piece whose characters come one by one. */
  beginPiece(): void {
    this.#pieces += 1;
  }

  /** A UTF-16 unit. Of a character that has two, the first counts. */
  count(unit: number): void {
    if (unit < 0x80) this.countAll(1, 0);
    else if (unit < 0xdc00 || unit > 0xdfff) this.countAll(0, 1);
  }

  countAll(ascii: number, others: number): void {
    this.#ascii += ascii;
    this.#others += others;
  }
}
