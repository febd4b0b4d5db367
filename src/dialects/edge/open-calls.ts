import { ProxyError } from "../../core/errors.ts";
import type { Budget } from "../../core/ports.ts";

/** Every call that is being answered, so that the process can end without cutting one off. */
export interface OpenCalls {
  readonly count: number;
  readonly draining: boolean;
  /**
   * Opens a call for the life of `owner` (a response, a socket). The signal aborts when the client
   * leaves, or with `draining` when time is up. Throws `draining` when no new call is taken.
   */
  enter(owner: object): AbortSignal;
  leave(owner: object, clientLeft: boolean): void;
  /**
   * Notes that a call holds a body of so many bytes, until it leaves or holds another. Throws
   * `overloaded` when all calls together would hold more than memory is sized for.
   */
  hold(owner: object, bytes: number): void;
  /** From now on no call is taken; resolves when none is open. */
  drain(): Promise<void>;
  abortAll(): void;
}

/** How long a client told that we are stopping should wait: about a restart. */
const RETRY_DRAINING_MS = 5_000;

/** A body costs about three times its size while its call is open: 200 MB of a 512 MB container. */
const MAX_HELD_BYTES = 67_108_864;
const RETRY_OVERLOADED_MS = 2_000;
const SMALL_BODY_BYTES = 16_384;

/** Where larger bodies are allowed, room is made for at least this many of them. */
const LEAST_LARGEST_BODIES = 4;

/** What bodies may hold together, where one may be so large. */
export function maxHeldBytes(maxBodyBytes: number): number {
  return Math.max(MAX_HELD_BYTES, LEAST_LARGEST_BODIES * maxBodyBytes);
}

/** `room`: what is left for bodies. */
export function createOpenCalls(room: Budget): OpenCalls {
  const controllers = new Map<object, AbortController>();
  const held = new Map<object, number>();
  let draining = false;
  let onIdle: (() => void) | null = null;

  const giveBack = (owner: object) => {
    const bytes = held.get(owner);
    if (bytes === undefined) return;
    held.delete(owner);
    room.give(bytes);
  };

  return {
    get count() {
      return controllers.size;
    },
    get draining() {
      return draining;
    },
    enter(owner) {
      if (draining) throw drainingError();
      const controller = new AbortController();
      controllers.set(owner, controller);
      return controller.signal;
    },
    leave(owner, clientLeft) {
      const controller = controllers.get(owner);
      if (controller === undefined) return;
      controllers.delete(owner);
      giveBack(owner);
      if (clientLeft) controller.abort();
      if (controllers.size === 0) onIdle?.();
    },
    hold(owner, bytes) {
      giveBack(owner);
      // what fits into a few pages isn't worth an entry, and who has left would never give it back
      if (bytes < SMALL_BODY_BYTES || !controllers.has(owner)) return;
      if (!room.take(bytes)) {
        throw new ProxyError("overloaded", { retryAfterMs: RETRY_OVERLOADED_MS });
      }
      held.set(owner, bytes);
    },
    drain() {
      draining = true;
      if (controllers.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        onIdle = resolve;
      });
    },
    abortAll() {
      for (const controller of controllers.values()) controller.abort(drainingError());
    },
  };
}

/** What is said to everybody who comes too late. */
export function drainingError(): ProxyError {
  return new ProxyError("draining", { retryAfterMs: RETRY_DRAINING_MS });
}
