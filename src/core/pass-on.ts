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
  /** Gives back what the call held. */
  readonly leave: () => void;
  /** Work that goes on after the reader has left. */
  readonly inBackground: (work: Promise<void>) => void;
}

/** Passes an answer on item by item and settles the call, however its reading ends. */
export async function* passOn<T>(
  items: AsyncIterable<T>,
  watch: Watch<T>,
  options: PassOnOptions,
): AsyncGenerator<T> {
  const { settle, leave } = options;
  const iterator = items[Symbol.asyncIterator]();
  let reading = true;
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) break;
      if (watch.sees(next.value)) await settle("completed", watch.ending());
      yield next.value;
    }
    reading = false;
    await settle("completed", watch.ending());
  } catch (thrown) {
    reading = false;
    const error = watch.asSeen(toProxyError(thrown));
    const outcome = error.code === "canceled" ? "canceled" : "interrupted";
    await settle(outcome, { ...watch.ending(), error });
    throw error;
  } finally {
    if (!reading) leave();
    else if (options.drains) options.inBackground(readOn(iterator, watch, settle).finally(leave));
    else {
      void iterator.return?.();
      leave();
      await settle("canceled", watch.ending());
    }
  }
}

/** The reader has left: the rest is read for what it says of usage. */
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
