/**
 * Keeps characters of a text together that arrives in pieces: half of one waits for the other half. A
 * half that stays alone becomes U+FFFD, so the pieces are well-formed, and so is what they make.
 */
export class WholeCharacters {
  #half = "";

  /** The next piece as it can be passed on; often the same text. */
  next(piece: string): string {
    if (piece === "") return "";
    const text = this.#half + piece;
    const isCut = isFirstHalf(text.charCodeAt(text.length - 1));
    this.#half = isCut ? text.slice(-1) : "";
    return (isCut ? text.slice(0, -1) : text).toWellFormed();
  }

  /** What has waited in vain, when the text is over. */
  rest(): string {
    const half = this.#half;
    this.#half = "";
    return half.toWellFormed();
  }
}

export function isFirstHalf(codeUnit: number): boolean {
  return codeUnit >= 0xd800 && codeUnit <= 0xdbff;
}
