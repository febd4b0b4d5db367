const MARKS = ['"', "{", "}", "[", "]"];
/** So far characters are looked at one by one: most marks are near. */
const NEAR_CHARACTERS = 32;

/**
 * Finds the next quote or bracket. A long list of numbers is jumped over by native searches; each
 * character is searched once for each mark, because what was found is kept until it is reached.
 */
export class Brackets {
  #text = "";
  readonly #next = MARKS.map(() => -1);

  after(text: string, from: number): number {
    const near = Math.min(text.length, from + NEAR_CHARACTERS);
    for (let at = from; at < near; at += 1) if (isMark(text.charCodeAt(at))) return at;
    return near === text.length ? near : this.#jump(text, near);
  }

  /** The text is over: it need not be kept. */
  end(): void {
    this.#text = "";
  }

  #jump(text: string, from: number): number {
    if (this.#text !== text) this.#next.fill(-1);
    this.#text = text;
    let least = text.length;
    for (const [index, mark] of MARKS.entries()) {
      let found = this.#next[index] ?? -1;
      if (found < from) {
        found = text.indexOf(mark, from);
        if (found === -1) found = text.length;
        this.#next[index] = found;
      }
      least = Math.min(least, found);
    }
    return least;
  }
}

function isMark(code: number): boolean {
  return code === 0x22 || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d;
}
