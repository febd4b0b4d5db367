import { ProxyError } from "../core/errors.ts";
import type { RelayAccount, RelayPiece } from "../core/upstream-ports.ts";
import type { ResponseBody } from "./exchange.ts";
import { accountIn } from "./reading/account.ts";
import { bytesWithoutSecrets, type Clean } from "./reading/blame.ts";
import { failureIn } from "./reading/failure.ts";
import { wholeAnswer } from "./reading/places.ts";
import { RawText } from "./reading/raw-text.ts";
import { Skeleton } from "./reading/skeleton.ts";

/** What must wait with the piece that is held back: words about an error, blanks after the end. */
const MAX_WAITING_BYTES = 131_072;

export interface JsonPiecesOptions {
  readonly clean: Clean;
  /** The client knows the length, so the bytes can't change any more. */
  readonly isAnnounced: boolean;
}

/**
 * The pieces of JSON that passes as it arrives, read beside it. The newest one is held back: the last
 * may leave only once the answer is known to be whole and its call is settled.
 */
export class JsonPieces implements AsyncIterableIterator<RelayPiece, undefined> {
  readonly #body: ResponseBody;
  readonly #options: JsonPiecesOptions;
  readonly #passed = new RawText();
  readonly #skeleton = new Skeleton(wholeAnswer, this.#passed);
  #held: Buffer;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Where what is held begins. */
  #from = 0;
  #ended = false;

  constructor(body: ResponseBody, opening: Buffer, options: JsonPiecesOptions) {
    this.#body = body;
    this.#options = options;
    this.#held = opening;
    this.#read(opening);
  }

  /** So far the answer is an error, or speaks of one. */
  get isFailing(): boolean {
    const { blames, blameFrom } = this.#skeleton;
    return blames.length > 0 || blameFrom !== -1 || this.#isFailure;
  }

  get account(): RelayAccount {
    return { ...accountIn(this.#skeleton.value), answerTokens: this.#passed.tokens };
  }

  async next(): Promise<IteratorResult<RelayPiece, undefined>> {
    while (!this.#ended) {
      const { done, value } = await this.#body.next();
      if (done === true) return { done: false, value: this.#last() };
      const { isWhole, blameFrom } = this.#skeleton;
      // what looks whole must not pass before it is: its connection may still break
      if (isWhole || blameFrom !== -1) this.#wait(value);
      else {
        const bytes = this.#release();
        this.#held = value;
        this.#read(value);
        return { done: false, value: { bytes, last: false } };
      }
    }
    return OVER;
  }

  async return(): Promise<IteratorResult<RelayPiece, undefined>> {
    this.#ended = true;
    this.#held = NOTHING;
    this.#waiting.length = 0;
    await this.#body.return?.();
    return OVER;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get #isFailure(): boolean {
    return failureIn(this.#skeleton.value, this.#passed.tokens === 0, () => "") !== null;
  }

  #read(bytes: Buffer): void {
    this.#skeleton.push(bytes.toString("latin1"));
  }

  #wait(bytes: Buffer): void {
    this.#read(bytes);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) throw new ProxyError("upstream_bad_answer");
  }

  /** What is held, without secrets where it speaks of errors. */
  #release(): Buffer {
    const waits = this.#waitingBytes > 0;
    const bytes = waits ? Buffer.concat([this.#held, ...this.#waiting]) : this.#held;
    this.#held = NOTHING;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    const from = this.#from;
    this.#from += bytes.length;
    const { blames } = this.#skeleton;
    if (blames.length === 0) return bytes;
    const own = blames
      .splice(0)
      .map(({ start, end }) => ({ start: start - from, end: end - from }));
    const shown = bytesWithoutSecrets(bytes, own, this.#options.clean);
    if (shown !== bytes && this.#options.isAnnounced) throw new ProxyError("upstream_failed");
    return shown;
  }

  /** Throws if the answer turns out to be none, when no status can tell any more. */
  #last(): RelayPiece {
    this.#ended = true;
    if (!this.#skeleton.isWhole) throw new ProxyError("upstream_bad_answer");
    if (this.#isFailure) throw new ProxyError("upstream_failed");
    return { bytes: this.#release(), last: true };
  }
}

const NOTHING = Buffer.alloc(0);
const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };
