import { type CallSignal, LightSignal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import { NOT_A_MEMBER, type SetMember, UnorderedSet } from "../../core/unordered-set.ts";

/** Every call that is being answered, so that the process can end without cutting one off. */
export interface OpenCalls {
  readonly count: number;
  readonly draining: boolean;
  /**
   * Opens a call for the life of `owner` (a response, a socket). The signal aborts when the client
   * leaves, or with `draining` when time is up. Throws `draining` when no new call is taken.
   */
  enter(owner: object): CallSignal;
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
const MIN_LARGE_BODIES = 4;

interface OpenCall extends SetMember {
  readonly signal: LightSignal;
  heldBytes: number;
}

/** What bodies may hold together, where one may be so large. */
export function maxHeldBytes(maxBodyBytes: number): number {
  return Math.max(MAX_HELD_BYTES, MIN_LARGE_BODIES * maxBodyBytes);
}

/** `maxBytes`: of all bodies together. */
export function createOpenCalls(maxBytes: number): OpenCalls {
  const open = new UnorderedSet<OpenCall>();
  const callsOf = new WeakMap<object, OpenCall>();
  let allHeldBytes = 0;
  let draining = false;
  let onIdle: (() => void) | null = null;

  const giveBack = (call: OpenCall) => {
    allHeldBytes -= call.heldBytes;
    call.heldBytes = 0;
  };

  return {
    get count() {
      return open.size;
    },
    get draining() {
      return draining;
    },
    enter(owner) {
      if (draining) throw drainingError();
      const call = { signal: new LightSignal(), heldBytes: 0, index: NOT_A_MEMBER };
      open.add(call);
      callsOf.set(owner, call);
      return call.signal;
    },
    leave(owner, clientLeft) {
      const call = callsOf.get(owner);
      if (call === undefined) return;
      callsOf.delete(owner);
      open.remove(call);
      giveBack(call);
      if (clientLeft) call.signal.abort();
      if (open.size === 0) onIdle?.();
    },
    hold(owner, bytes) {
      const call = callsOf.get(owner);
      // who has left would never give it back
      if (call === undefined) return;
      giveBack(call);
      // what fits into a few pages isn't worth counting
      if (bytes < SMALL_BODY_BYTES) return;
      if (allHeldBytes + bytes > maxBytes) {
        throw new ProxyError("overloaded", { retryAfterMs: RETRY_OVERLOADED_MS });
      }
      allHeldBytes += bytes;
      call.heldBytes = bytes;
    },
    drain() {
      draining = true;
      if (open.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        onIdle = resolve;
      });
    },
    abortAll() {
      for (const { signal } of open) signal.abort(drainingError());
    },
  };
}

/** What is said to everybody who comes too late. */
export function drainingError(): ProxyError {
  return new ProxyError("draining", { retryAfterMs: RETRY_DRAINING_MS });
}
