/** What a port returns that may be answered from memory or by another machine. */
export type MaybePromise<T> = T | Promise<T>;

/** Continues at once with a value, later with a promise: from memory, no call waits for a tick. */
export function whenReady<T, R>(
  value: MaybePromise<T>,
  use: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
