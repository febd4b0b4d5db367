import type { AnswerHold, AnswerRoom } from "../../core/call/answer-room.ts";
import { type CallSignal, LightSignal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import { Room, roomBytes } from "../../core/room.ts";
import { NOT_A_MEMBER, type SetMember, UnorderedSet } from "../../core/unordered-set.ts";

/** All open calls, so that the process can stop without cutting one off. */
export interface OpenCalls {
  readonly count: number;
  /** True from `retire` on: calls are still taken until `drain`, but should go elsewhere. */
  readonly retiring: boolean;
  /**
   * Opens a call for the life of `owner` (a response, a socket). The signal aborts when the client
   * leaves, or with `draining` when time is up. Throws `draining` if no new calls are taken.
   */
  enter(owner: object, bucket: string): EnteredCall;
  leave(owner: object, clientLeft: boolean): void;
  /**
   * Notes how much of its body a call holds, until it leaves or holds another. Throws `overloaded` if
   * all bodies together, or those of its bucket, would exceed their bound.
   */
  hold(owner: object, bytes: number): void;
  /** From now on the server says that it is about to stop. */
  retire(): void;
  /** Takes no new calls; resolves when none is open. */
  drain(): Promise<void>;
  abortAll(): void;
}

/** Wait before a retry while the server stops: about the time of a restart. */
const RETRY_DRAINING_MS = 5_000;

/** What a call keeps until it leaves. */
export interface EnteredCall {
  readonly signal: CallSignal;
  readonly room: AnswerHold;
}

/** An open call takes about three times the size of its body: 200 MB of a 512 MB container. */
const MAX_HELD_BYTES = 67_108_864;
const RETRY_OVERLOADED_MS = 2_000;
/** A few pages are not worth counting. */
export const SMALL_BODY_BYTES = 16_384;

interface OpenCall extends SetMember, EnteredCall {
  readonly signal: LightSignal;
  readonly bucket: string;
  heldBytes: number;
}

/** `maxBodyBytes`: the size of the largest body that is accepted. */
export function createOpenCalls(maxBodyBytes: number, answers: AnswerRoom): OpenCalls {
  const bodies = new Room(roomBytes(MAX_HELD_BYTES, maxBodyBytes));
  const open = new UnorderedSet<OpenCall>();
  const callsOf = new WeakMap<object, OpenCall>();
  let retiring = false;
  let draining = false;
  let onIdle: (() => void) | null = null;

  const resize = (call: OpenCall, bytes: number) => {
    if (!bodies.resize(call.bucket, call.heldBytes, bytes)) return false;
    call.heldBytes = bytes;
    return true;
  };

  return {
    get count() {
      return open.size;
    },
    get retiring() {
      return retiring;
    },
    enter(owner, bucket) {
      if (draining) throw drainingError();
      const signal = new LightSignal();
      const room = answers.enter(bucket);
      const call = { signal, room, bucket, heldBytes: 0, index: NOT_A_MEMBER };
      open.add(call);
      callsOf.set(owner, call);
      return call;
    },
    leave(owner, clientLeft) {
      const call = callsOf.get(owner);
      if (call === undefined) return;
      callsOf.delete(owner);
      open.remove(call);
      resize(call, 0);
      if (clientLeft) call.signal.abort();
      call.room.leave();
      if (open.size === 0) onIdle?.();
    },
    hold(owner, bytes) {
      const call = callsOf.get(owner);
      // a call that has left would never give it back
      if (call === undefined || resize(call, bytes < SMALL_BODY_BYTES ? 0 : bytes)) return;
      throw new ProxyError("overloaded", { retryAfterMs: RETRY_OVERLOADED_MS });
    },
    retire() {
      retiring = true;
    },
    drain() {
      retiring = true;
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
