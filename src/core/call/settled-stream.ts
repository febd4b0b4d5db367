import { isCanceled, type ProxyError, toProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import type { PassingAnswer, RelayAccount, RelayPiece, StreamedAnswer } from "../upstream-ports.ts";
import { asSeenBy } from "./ask.ts";
import type { Principal } from "./call.ts";
import { NOTHING_SEEN } from "./estimate.ts";
import { type AnswerEvent, type Completion, paidUsage } from "./messages.ts";
import { PassedTokens } from "./passed-tokens.ts";
import type { Ending, Settle } from "./settle.ts";

/** Observes one kind of answer while it passes. */
export interface StreamObserver<T> {
  /** Sees an item before it is passed on; true for the last one, before which the row is written. */
  sees(item: T): boolean;
  /** What is known so far. */
  ending(): Ending;
  /** The error as the caller may see it. */
  asSeen(error: ProxyError): ProxyError;
}

export interface SettledStreamOptions {
  readonly settle: Settle;
  /** Whether the answer is read to its end after the client has left. */
  readonly drains: boolean;
  readonly hasLeft: () => boolean;
  /** Gives back what the call held. Called once or more. */
  readonly leave: () => void;
  /** Takes work that continues after the reader has left. */
  readonly inBackground: (work: Promise<void>) => void;
}

/**
 * Passes an answer on item by item and settles its call once, however the reading ends. A class:
 * an async generator costs 2 µs per item, closures another KiB per open stream.
 */
export class SettledStream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #iterator: AsyncIterator<T>;
  readonly #observer: StreamObserver<T>;
  readonly #options: SettledStreamOptions;
  #reading = true;
  #begun = false;

  constructor(items: AsyncIterable<T>, observer: StreamObserver<T>, options: SettledStreamOptions) {
    this.#iterator = items[Symbol.asyncIterator]();
    this.#observer = observer;
    this.#options = options;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#reading) return OVER;
    try {
      const next = await this.#iterator.next();
      if (next.done !== true) {
        this.#begun = true;
        if (this.#observer.sees(next.value)) await this.#settleWhole();
        return next;
      }
      this.#reading = false;
      await this.#settleWhole();
      this.#options.leave();
      return OVER;
    } catch (thrown) {
      throw await this.#broken(thrown);
    }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (this.#reading) {
      this.#reading = false;
      await abandon(this.#iterator, this.#observer, this.#options);
    }
    return OVER;
  }

  /** The reader could not parse an item: settles the call as broken and stops reading. */
  async throw(thrown: unknown): Promise<never> {
    throw this.#reading ? await this.#broken(thrown) : thrown;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #settleWhole(): Promise<void> {
    const { settle, hasLeft } = this.#options;
    return settle(hasLeft() ? "canceled" : "completed", this.#observer.ending());
  }

  /** Resolves with the error as the caller may see it. */
  async #settleBroken(broken: ProxyError): Promise<ProxyError> {
    const error = this.#observer.asSeen(broken);
    const outcome = isCanceled(error) ? "canceled" : "interrupted";
    const ending = this.#observer.ending();
    // an error in place of the first event is a refusal, and costs nothing
    const isRefused = !this.#begun && broken.details.upstream_status !== undefined;
    await this.#options.settle(outcome, isRefused ? { error } : { ...cut(ending), error });
    return error;
  }

  async #broken(thrown: unknown): Promise<ProxyError> {
    this.#reading = false;
    void this.#iterator.return?.();
    const error = await this.#settleBroken(toProxyError(thrown));
    this.#options.leave();
    return error;
  }
}

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** The reader left before the end. */
async function abandon<T>(
  iterator: AsyncIterator<T>,
  observer: StreamObserver<T>,
  { settle, leave, drains, inBackground }: SettledStreamOptions,
): Promise<void> {
  if (drains) {
    inBackground(readOn(iterator, observer, settle).finally(leave));
    return;
  }
  void iterator.return?.();
  leave();
  await settle("canceled", cut(observer.ending()));
}

/** Reads the rest of an answer for its usage only. */
async function readOn<T>(
  iterator: AsyncIterator<T>,
  observer: StreamObserver<T>,
  settle: Settle,
): Promise<void> {
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      observer.sees(next.value);
    }
    await settle("canceled", observer.ending());
  } catch {
    // out of time, or the upstream broke: what is known is written all the same
    await settle("canceled", cut(observer.ending()));
  }
}

/** What was seen of an answer that did not come to its end. */
function cut({ account, ...ending }: Ending): Ending {
  return { ...ending, account: account && { ...account, cut: true } };
}

/** Observes the events of an answer. */
export function observeEvents(principal: Principal, clock: Clock): StreamObserver<AnswerEvent> {
  return new EventObserver(principal, clock);
}

/** A class, because there is one for each open stream. */
class EventObserver implements StreamObserver<AnswerEvent> {
  readonly #principal: Principal;
  readonly #clock: Clock;
  readonly #passed = new PassedTokens();
  #firstTokenAtMs: number | undefined;
  #model = "";
  #completion: Completion | null = null;

  constructor(principal: Principal, clock: Clock) {
    this.#principal = principal;
    this.#clock = clock;
  }

  sees(event: AnswerEvent): boolean {
    if (event.type === "answer-start") this.#model = event.model;
    else if (event.type === "answer-end") this.#completion = event.completion;
    else {
      if (event.type === "text-delta") this.#firstTokenAtMs ??= this.#clock.monotonicMs();
      this.#passed.add(event.text);
    }
    return this.#completion !== null;
  }

  ending(): Ending {
    const completion = this.#completion;
    const seen =
      completion === null ? { ...NOTHING_SEEN, model: this.#model || null } : accountOf(completion);
    const account = { ...seen, answerTokens: this.#passed.tokens };
    return { account, firstTokenAtMs: this.#firstTokenAtMs };
  }

  asSeen(error: ProxyError): ProxyError {
    return asSeenBy(this.#principal, error);
  }
}

/** Observes the relayed bytes of an answer. */
export function observePieces(
  answer: StreamedAnswer | PassingAnswer,
  principal: Principal,
  clock: Clock,
): StreamObserver<RelayPiece> {
  let firstTokenAtMs: number | undefined;
  const isStreamed = answer.kind === "streamed";
  return {
    sees({ last }) {
      if (!last && isStreamed) firstTokenAtMs ??= clock.monotonicMs();
      return last;
    },
    ending: () => ({ account: answer.account(), firstTokenAtMs }),
    asSeen: (error) => asSeenBy(principal, error),
  };
}

/** What a finished answer says about its call. */
export function accountOf({ model, usage, upstreamId, text, ...rest }: Completion): RelayAccount {
  const passed = new PassedTokens();
  const { reasoned = false, unsaid = "" } = rest;
  if (usage === null) passed.add(text + unsaid);
  const answerTokens = passed.tokens;
  return { ...NOTHING_SEEN, model, usage: paidUsage(usage), upstreamId, answerTokens, reasoned };
}
