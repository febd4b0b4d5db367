import { ProxyError, toProxyError } from "../errors.ts";
import type { AskOptions, Clock } from "../ports.ts";
import type { Call } from "./call.ts";
import type { DisconnectPolicy } from "./disconnect-policy.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Principal } from "./principal.ts";
import { askWithRetries, type KeySource } from "./retry.ts";
import type { Settle } from "./settle.ts";

export interface AskingOptions {
  readonly keyRing: KeyRing;
  readonly retries: number;
  readonly disconnectPolicy: DisconnectPolicy;
  readonly clock: Clock;
}

/** Asks with the right key; what fails is settled and thrown as the caller should see it. */
export type Ask = <T>(
  call: Call,
  settle: Settle,
  attempt: (how: AskOptions) => Promise<T>,
) => Promise<T>;

export function createAsk({ keyRing, retries, disconnectPolicy, clock }: AskingOptions): Ask {
  return async function ask(call, settle, attempt) {
    const { principal } = call;
    const signal = disconnectPolicy.signalFor(call.signal);
    const retry = { clock, signal, retries };
    try {
      const keys = keysOf(principal, keyRing);
      return await askWithRetries(keys, (key) => attempt({ key, signal }), retry);
    } catch (thrown) {
      const error = asSeenBy(principal, toProxyError(thrown));
      await settle(error.code === "canceled" ? "canceled" : "failed", { error });
      throw error;
    }
  };
}

/** A refused key is the caller's error when it is their own, and ours (text hidden) when it isn't. */
export function asSeenBy(principal: Principal, error: ProxyError): ProxyError {
  if (principal.kind === "own-key") return error;
  if (error.code === "key_rejected") return new ProxyError("upstream_key_rejected");
  if (error.code !== "key_exhausted") return error;
  return new ProxyError("upstream_exhausted", { retryAfterMs: error.retryAfterMs });
}

function keysOf(principal: Principal, ring: KeyRing): KeySource {
  const own = ownKey(principal);
  if (own === null) return { next: (tried) => ring.next(tried), ring };
  return { next: (tried) => (tried.size === 0 ? own : null), ring: null };
}

/** The key that pays for this principal alone: brought along, or kept with a token. */
function ownKey(principal: Principal): string | null {
  if (principal.kind === "own-key") return principal.key;
  return principal.kind === "token" ? principal.found.upstreamKey() : null;
}
