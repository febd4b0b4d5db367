import { ProxyError } from "../../../core/errors.ts";
import { type MaybePromise, whenReady } from "../../../core/maybe-promise.ts";
import type { Clock, ConcurrencyLimiter, Semaphore } from "../../../core/ports.ts";
import type { Connection } from "./connection.ts";

/** For all clients together. An open connection takes 20 KiB, one with a stalled reader 100. */
export const MAX_CONNECTIONS = 2_000;

const RETRY_LIMITED_MS = 1_000;
const RETRY_OVERLOADED_MS = 2_000;

/**
 * Takes a place for a connection of this bucket and returns how to give it back. Throws or rejects
 * `connections_limited` or `overloaded`.
 */
export type EnterConnection = (bucket: string) => MaybePromise<() => void>;

/** `limit`: the bound of `perBucket`, named in the refusal. */
export function createConnectionLimit(
  perBucket: ConcurrencyLimiter,
  all: Semaphore,
  limit: number,
): EnterConnection {
  return (bucket) =>
    whenReady(perBucket.enter(bucket), (lease) => {
      if (!lease.entered) {
        const about = { params: { limit }, details: { limit } };
        throw new ProxyError("connections_limited", { ...about, retryAfterMs: RETRY_LIMITED_MS });
      }
      return whenReady(all.take(1), ({ taken }) => {
        if (!taken) {
          lease.leave();
          throw new ProxyError("overloaded", { retryAfterMs: RETRY_OVERLOADED_MS });
        }
        let left = false;
        return () => {
          if (left) return;
          left = true;
          lease.leave();
          void all.give(1);
        };
      });
    });
}

/** Time for clients to answer close frames, and then for calls to be settled. */
const CLOSING_MS = 500;

/** All open connections. */
export interface OpenConnections {
  readonly draining: boolean;
  add(connection: Connection): void;
  /** Closes connections as soon as none of their questions is open. */
  drain(): void;
  /** Ends all connections; resolves when their questions are over. */
  close(): Promise<void>;
}

export function createOpenConnections(clock: Pick<Clock, "sleep">): OpenConnections {
  const connections = new Set<Connection>();
  let draining = false;
  const over = async () => {
    const all = [...connections].map((connection) => connection.over);
    const late = new AbortController();
    await Promise.race([Promise.all(all), clock.sleep(CLOSING_MS, late.signal)]);
    late.abort();
  };
  const drain = () => {
    draining = true;
    for (const connection of connections) connection.drain();
  };
  return {
    get draining() {
      return draining;
    },
    add(connection) {
      connections.add(connection);
      void connection.over.then(() => connections.delete(connection));
      if (draining) connection.drain();
    },
    drain,
    async close() {
      drain();
      await over();
      for (const connection of connections) connection.terminate();
      await over();
    },
  };
}
