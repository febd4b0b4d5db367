import { ProxyError } from "../core/errors.ts";
import type { RelayAccount, RelayPiece } from "../core/ports.ts";
import type { ResponseBody } from "./exchange.ts";
import { accountIn } from "./reading/account.ts";
import { failureIn } from "./reading/failure.ts";
import { wholeAnswer } from "./reading/places.ts";
import { RawText } from "./reading/raw-text.ts";
import { Skeleton } from "./reading/skeleton.ts";

/** White space after the end of an answer. No service sends more. */
const MAX_TAIL_BYTES = 65_536;

/**
 * The pieces of JSON that passes as it arrives, read beside it. The newest one is held back: the last
 * may leave only once the answer is known to be whole and its call is settled.
 */
export class JsonPieces implements AsyncIterableIterator<RelayPiece, undefined> {
  readonly #body: ResponseBody;
  readonly #passed = new RawText();
  readonly #skeleton = new Skeleton(wholeAnswer, this.#passed);
  #held: Buffer;
  /** What came after the end of the JSON. */
  readonly #tail: Buffer[] = [];
  #tailBytes = 0;
  #ended = false;

  constructor(body: ResponseBody, opening: Buffer) {
    this.#body = body;
    this.#held = opening;
    this.#read(opening);
  }

  /** So far the answer is not one, but an error, or may become one. */
  get isFailing(): boolean {
    const { value, isReadingError } = this.#skeleton;
    return isReadingError || failureIn(value) !== null;
  }

  get account(): RelayAccount {
    return { ...accountIn(this.#skeleton.value), answerTokens: this.#passed.tokens };
  }

  async next(): Promise<IteratorResult<RelayPiece, undefined>> {
    while (!this.#ended) {
      const { done, value } = await this.#body.next();
      if (done === true) return { done: false, value: this.#last() };
      // what looks whole must not pass before it is: its connection may still break
      if (this.#skeleton.isWhole) this.#addTail(value);
      else {
        const bytes = this.#held;
        this.#held = value;
        this.#read(value);
        return { done: false, value: { bytes, last: false } };
      }
    }
    return OVER;
  }

  async return(): Promise<IteratorResult<RelayPiece, undefined>> {
    this.#ended = true;
    this.#tail.length = 0;
    this.#held = NOTHING;
    await this.#body.return?.();
    return OVER;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #read(bytes: Buffer): void {
    this.#skeleton.push(bytes.toString("latin1"));
  }

  #addTail(bytes: Buffer): void {
    this.#read(bytes);
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
    if (this.#tailBytes > MAX_TAIL_BYTES) throw new ProxyError("upstream_bad_answer");
  }

  /** Throws if the answer turns out to be none, when no status can tell any more. */
  #last(): RelayPiece {
    this.#ended = true;
    const bytes = this.#tailBytes > 0 ? Buffer.concat([this.#held, ...this.#tail]) : this.#held;
    this.#held = NOTHING;
    if (!this.#skeleton.isWhole) throw new ProxyError("upstream_bad_answer");
    if (failureIn(this.#skeleton.value) !== null) throw new ProxyError("upstream_failed");
    return { bytes, last: true };
  }
}

const NOTHING = Buffer.alloc(0);
const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };
