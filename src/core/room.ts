/** No bucket holds more than one of so many shares. */
const SHARES = 4;

/** The bytes of a room: `usualBytes`, or a share for the largest thing that may be held in it. */
export function roomBytes(usualBytes: number, largestBytes: number): number {
  return Math.max(usualBytes, SHARES * largestBytes);
}

export function shareOf(maxBytes: number): number {
  return maxBytes / SHARES;
}

/** Bytes that many hold at once: bounded together, and for each bucket, at a quarter unless told. */
export class Room {
  readonly #maxBytes: number;
  readonly #shareBytes: number;
  /** Bounded by those that hold something. */
  readonly #bytesOf = new Map<string, number>();
  #bytes = 0;

  constructor(maxBytes: number, shareBytes: number = shareOf(maxBytes)) {
    this.#maxBytes = maxBytes;
    this.#shareBytes = shareBytes;
  }

  /** Changes what one of the bucket's holders holds; false, and no change, if there is no room. */
  resize(bucket: string, from: number, to: number): boolean {
    if (from === to) return true;
    const more = to - from;
    const bytes = (this.#bytesOf.get(bucket) ?? 0) + more;
    const fits = bytes <= this.#shareBytes && this.#bytes + more <= this.#maxBytes;
    if (more > 0 && !fits) return false;
    this.#bytes += more;
    if (bytes === 0) this.#bytesOf.delete(bucket);
    else this.#bytesOf.set(bucket, bytes);
    return true;
  }
}
