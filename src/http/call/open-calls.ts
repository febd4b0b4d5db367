import { type CallSignal, LightSignal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import { NOT_A_MEMBER, type SetMember, UnorderedSet } from "../../core/unordered-set.ts";

/** All open calls, so that the process can stop without cutting one off. */
export interface OpenCalls {
  readonly count: number;
  readonly draining: boolean;
  /**
   * Opens a call for the life of `owner` (a response, a socket). The signal aborts when the client
   * leaves, or with `draining` when time is up. Throws `draining` if no new calls are taken.
   */
  enter(owner: object): CallSignal;
  leave(owner: object, clientLeft: boolean): void;
  /**
   * Notes the size of the body that a call holds, until it leaves or holds another. Throws
   * `overloaded` if all bodies together would exceed the bound.
   */
  hold(owner: object, bytes: number): void;
  /** Takes no new calls; resolves when none is open. */
  drain(): Promise<void>;
  abortAll(): void;
}

/** Wait before a retry while the server stops: about the time of a restart. */
const RETRY_DRAINING_MS = 5_000;

/** An open call takes about three times the size of its body: 200 MB of a 512 MB container. */
const MAX_HELD_BYTES = 67_108_864;
const RETRY_OVERLOADED_MS = 2_000;
const SMALL_BODY_BYTES = 16_384;

/** If larger bodies are allowed, there is room for at least this many of them. */
const MIN_LARGE_BODIES = 4;

interface OpenCall extends SetMember {
  readonly signal: LightSignal;
  heldBytes: number;
}

/** `maxBodyBytes`: the size of the largest body that is accepted. */
export function createOpenCalls(maxBodyBytes: number): OpenCalls {
  const maxBytes = Math.max(MAX_HELD_BYTES, MIN_LARGE_BODIES * maxBodyBytes);
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
      // a call that has left would never give it back
      if (call === undefined) return;
      giveBack(call);
      // a few pages are not worth counting
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

/** The refusal of calls that arrive while the server stops. */
export function drainingError(): ProxyError {
  return new ProxyError("draining", { retryAfterMs: RETRY_DRAINING_MS });
}
