import type { FoundToken } from "../accounts/accounts.ts";
import type { UpstreamAnswered } from "../errors.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { CallObserver, CallRecord } from "../ports.ts";
import type { CallNotes } from "../upstream-ports.ts";
import type { AnswerHold } from "./answer-room.ts";

/**
 * On whose behalf a call is made. `bucket` is what limits are counted by: an IPv4 address or an
 * IPv6 /64, as text. The key of a caller who brought one lives only as long as the call.
 */
export type Principal =
  | { readonly kind: "visitor"; readonly bucket: string }
  | {
      readonly kind: "own-key";
      readonly bucket: string;
      readonly key: string;
      readonly account?: KeyAccount | undefined;
    }
  | { readonly kind: "token"; readonly bucket: string; readonly found: FoundToken };

/** Who pays for a key that belongs to several; without it the key's default organization does. */
export interface KeyAccount {
  readonly organization: string | null;
  readonly project: string | null;
}

/** One request on its way, whatever the dialect. */
export interface Call extends Pick<CallRecord, "requestId" | "dialect"> {
  readonly principal: Principal;
  /** Aborts when the client leaves, or with a ProxyError as its reason when we end the call. */
  readonly signal: CallSignal;
  /** Gets what the upstream answered if the call failed by it, for the request's line in the log. */
  readonly onAnswered?: (answered: UpstreamAnswered) => void;
  /** Gets the name of the upstream that answered, for the headers of the response. */
  readonly onUpstream?: (name: string | null) => void;
  /** Left out where nobody would be told. */
  readonly notes?: CallNotes;
  /** Where a whole answer counts what it takes. */
  readonly room: AnswerHold;
  /** Gives back what the windows of its address have counted: another limit has refused the call. */
  readonly giveBack: () => MaybePromise<void>;
  /** Also gets the record, for the request's line in the log. */
  readonly onRecord: CallObserver;
}

/** The part of AbortSignal that calls use; a real one fits, too. */
export interface CallSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** One per call: an AbortController whose listeners come and go costs 2 µs. */
export class LightSignal implements CallSignal {
  aborted = false;
  reason: unknown = undefined;
  #listeners: (() => void)[] = [];

  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at !== -1) this.#listeners.splice(at, 1);
  }
}
