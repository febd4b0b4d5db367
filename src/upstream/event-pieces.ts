import { ProxyError } from "../core/errors.ts";
import type { RelayPiece } from "../core/upstream-ports.ts";
import type { EventScanner } from "./event-scanner.ts";
import type { ResponseBody } from "./exchange.ts";
import type { Failures } from "./failures.ts";

/** Pieces of comments before the first event: then a client has to see that its call is alive. */
const MAX_HELD_PIECES = 16;

/**
 * The pieces of an event stream as the scanner lets them pass. A stream that breaks off throws.
 * Written out, because an async generator takes 2 µs for each piece.
 */
export class EventPieces implements AsyncIterableIterator<RelayPiece, undefined> {
  readonly #body: ResponseBody;
  readonly #scanner: EventScanner;
  readonly #failures: Failures;
  readonly #opening: RelayPiece[] = [];
  /** The last event has passed. */
  #isWhole = false;
  #ended = false;
  /** Thrown once all that came before it has passed. */
  #broken: ProxyError | null = null;

  constructor(body: ResponseBody, scanner: EventScanner, failures: Failures) {
    this.#body = body;
    this.#scanner = scanner;
    this.#failures = failures;
  }

  /** Reads up to the first event. Throws if that is an error, or if there is none. */
  async open(): Promise<void> {
    for (let reads = 0; reads < MAX_HELD_PIECES && !this.#scanner.hasBegun; reads += 1) {
      if (this.#ended) break;
      const piece = this.#take(await this.#body.next());
      if (piece !== undefined) this.#opening.push(piece);
    }
    const { failure, hasEvents } = this.#scanner;
    if (hasEvents || this.#broken === null) return;
    void this.#body.return?.();
    throw failure === null ? this.#broken : this.#failures.early(failure);
  }

  async next(): Promise<IteratorResult<RelayPiece, undefined>> {
    const opening = this.#opening.shift();
    if (opening !== undefined) return { done: false, value: opening };
    while (!this.#ended) {
      try {
        const piece = this.#take(await this.#body.next());
        if (piece !== undefined) return { done: false, value: piece };
      } catch (error) {
        this.#ended = true;
        // after its last event an answer is whole, however its connection ends
        if (!this.#isWhole) throw error;
      }
    }
    const broken = this.#broken;
    this.#broken = null;
    if (broken !== null) throw broken;
    return OVER;
  }

  async return(): Promise<IteratorResult<RelayPiece, undefined>> {
    this.#ended = true;
    this.#broken = null;
    this.#opening.length = 0;
    await this.#body.return?.();
    return OVER;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take({ done, value }: IteratorResult<Buffer>): RelayPiece | undefined {
    const piece = done === true ? this.#end() : this.#scanner.push(value);
    this.#isWhole ||= piece?.last === true;
    const { failure } = this.#scanner;
    if (failure === null) return piece;
    this.#ended = true;
    this.#broken = this.#isWhole ? null : this.#failures.late(failure);
    return piece;
  }

  #end(): RelayPiece | undefined {
    this.#ended = true;
    const rest = this.#scanner.rest();
    const last = this.#isWhole || this.#scanner.isComplete;
    if (!last) this.#broken = new ProxyError("upstream_failed");
    return rest && { ...rest, last };
  }
}

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };
