import type { MaybePromise } from "../../core/maybe-promise.ts";
import type { Clock } from "../../core/ports.ts";

/** A value that is read again when it is used and older than its bound. */
export interface Aged<T> {
  now(): MaybePromise<T>;
  /** It has changed: what was read before, or is being read, holds no longer. */
  forget(): void;
}

export function createAged<T extends object>(
  read: () => Promise<T>,
  clock: Pick<Clock, "monotonicMs">,
  maxAgeMs: number,
): Aged<T> {
  let known: T | null = null;
  let readAtMs = 0;
  let reading: Promise<T> | null = null;
  const begin = (): Promise<T> => {
    const startedMs = clock.monotonicMs();
    const mine = read()
      .then((value) => {
        if (reading === mine) {
          known = value;
          readAtMs = startedMs;
        }
        return value;
      })
      .finally(() => {
        if (reading === mine) reading = null;
      });
    reading = mine;
    return mine;
  };
  return {
    now() {
      const isFresh = known !== null && clock.monotonicMs() - readAtMs < maxAgeMs;
      return isFresh && known !== null ? known : (reading ?? begin());
    },
    forget() {
      known = null;
      reading = null;
    },
  };
}
