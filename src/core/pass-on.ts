import { type ProxyError, toProxyError } from "./errors.ts";
import type { Ending, Settle } from "./settle.ts";

/** How one kind of answer is watched while it passes. */
export interface Watch<T> {
  /** Looks at an item before it is passed on; true = the last one, which the ledger goes before. */
  sees(item: T): boolean;
  /** What is known by now. */
  ending(): Ending;
  /** The error as the caller is to see it. */
  asSeen(error: ProxyError): ProxyError;
}

export interface PassOnOptions {
  readonly settle: Settle;
  /** The client may leave and the answer still be read to its end. */
  readonly drains: boolean;
  readonly hasLeft: () => boolean;
  /** Gives back what the call held. */
  readonly leave: () => void;
  /** Work that goes on after the reader has left. */
  readonly inBackground: (work: Promise<void>) => void;
}

/**
 * Passes an answer on item by item and settles the call, however its reading ends. Written out, as
 * each async generator on the way takes 2 µs an item.
 */
export function passOn<T>(
  items: AsyncIterable<T>,
  watch: Watch<T>,
  options: PassOnOptions,
): AsyncIterableIterator<T, undefined> {
  const { settle, leave } = options;
  const iterator = items[Symbol.asyncIterator]();
  const settleWhole = () => settle(options.hasLeft() ? "canceled" : "completed", watch.ending());
  let reading = true;
  const end = async (thrown: unknown): Promise<ProxyError> => {
    reading = false;
    void iterator.return?.();
    const error = await settleBroken(toProxyError(thrown), watch, settle);
    leave();
    return error;
  };

  return {
    async next() {
      if (!reading) return OVER;
      try {
        const next = await iterator.next();
        if (next.done !== true) {
          if (watch.sees(next.value)) await settleWhole();
          return next;
        }
        reading = false;
        await settleWhole();
        leave();
        return OVER;
      } catch (thrown) {
        throw await end(thrown);
      }
    },
    // a reader that can't make sense of it throws it back: then the rest is not wanted either
    async throw(thrown: unknown) {
      throw reading ? await end(thrown) : thrown;
    },
    async return() {
      if (reading) {
        reading = false;
        await abandon(iterator, watch, options);
      }
      return OVER;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** What broke, as the caller is to see it, once it is written down. */
async function settleBroken<T>(
  broken: ProxyError,
  watch: Watch<T>,
  settle: Settle,
): Promise<ProxyError> {
  const error = watch.asSeen(broken);
  const outcome = error.code === "canceled" ? "canceled" : "interrupted";
  await settle(outcome, { ...watch.ending(), error });
  return error;
}

/** The reader has left before the end. */
async function abandon<T>(
  iterator: AsyncIterator<T>,
  watch: Watch<T>,
  { settle, leave, drains, inBackground }: PassOnOptions,
): Promise<void> {
  if (drains) {
    inBackground(readOn(iterator, watch, settle).finally(leave));
    return;
  }
  void iterator.return?.();
  leave();
  await settle("canceled", watch.ending());
}

/** The rest of an answer that nobody waits for is read for what it says of usage. */
async function readOn<T>(
  iterator: AsyncIterator<T>,
  watch: Watch<T>,
  settle: Settle,
): Promise<void> {
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      watch.sees(next.value);
    }
  } catch {
    // time was up or the upstream broke: what is known is written all the same
  }
  await settle("canceled", watch.ending());
}
