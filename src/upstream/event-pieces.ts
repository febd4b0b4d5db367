import { ProxyError } from "../core/errors.ts";
import type { RelayPiece } from "../core/ports.ts";
import type { EventScanner } from "./event-scanner.ts";
import type { OutboundBody } from "./exchange.ts";

/**
 * The pieces of an event stream as the scanner lets them pass; an end that is none is an error.
 * Written out, as an async generator takes 2 µs a piece.
 */
export class EventPieces implements AsyncIterableIterator<RelayPiece, undefined> {
  readonly #chunks: OutboundBody;
  readonly #scanner: EventScanner;
  #scanned: RelayPiece | undefined;
  /** The last event has passed. */
  #over = false;
  #ended = false;
  #isCut = false;

  constructor(chunks: OutboundBody, scanner: EventScanner) {
    this.#chunks = chunks;
    this.#scanner = scanner;
  }

  async next(): Promise<IteratorResult<RelayPiece, undefined>> {
    while (!this.#ended && this.#scanned === undefined) {
      try {
        this.#take(await this.#chunks.next());
      } catch (error) {
        // after its last event an answer is whole, however its connection ends
        this.#ended = true;
        if (!this.#over) throw error;
      }
    }
    const value = this.#scanned;
    this.#scanned = undefined;
    if (value !== undefined) return { done: false, value };
    if (this.#isCut) {
      this.#isCut = false;
      throw new ProxyError("upstream_failed");
    }
    return OVER;
  }

  async return(): Promise<IteratorResult<RelayPiece, undefined>> {
    this.#ended = true;
    this.#isCut = false;
    this.#scanned = undefined;
    await this.#chunks.return?.();
    return OVER;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take({ done, value }: IteratorResult<Buffer>): void {
    if (done === true) this.#end();
    else this.#scanned = this.#scanner.push(value);
    this.#over ||= this.#scanned?.last === true;
  }

  #end(): void {
    this.#ended = true;
    const bytes = this.#scanner.rest();
    const isWhole = this.#over || this.#scanner.isComplete();
    if (bytes.length > 0) this.#scanned = { bytes, last: isWhole };
    this.#isCut = !isWhole;
  }
}

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };
