import { isAnthropicKey } from "../api-key.ts";
import { fieldError } from "../common-errors.ts";
import { isCanceled, ProxyError, toProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { DEFAULT_UPSTREAM } from "../routing/routing.ts";
import { shownModel } from "../shown-model.ts";
import type { AskOptions, SentRequests } from "../upstream-ports.ts";
import type { Attempts } from "./attempts.ts";
import type { Call, KeyAccount, Principal } from "./call.ts";
import type { DisconnectPolicy } from "./disconnect-policy.ts";
import { NOTHING_SEEN } from "./estimate.ts";
import { askInTurn, type InTurnOptions } from "./in-turn.ts";
import { askWithRetries, type KeySource } from "./retries.ts";
import type { Settle } from "./settle.ts";
import type { Target } from "./targets.ts";

export interface AskingOptions extends InTurnOptions {
  /** How often a transient failure is tried again; changing to another key is not counted. */
  readonly retries: number;
  readonly disconnectPolicy: DisconnectPolicy;
  readonly clock: Clock;
}

/** A call that was admitted. */
export interface BegunCall {
  /** As the client named it; empty if it named none. */
  readonly model: string;
  readonly settle: Settle;
  readonly attempts: Attempts;
}

/** Asks the right target with the right key; a failure is settled and thrown as the caller should see it. */
export type Ask = <T>(
  call: Call,
  begun: BegunCall,
  attempt: (target: Target, how: AskOptions) => Promise<T>,
  /** The request can be sent only once. */
  once?: boolean,
) => Promise<T>;

export function createAsk(options: AskingOptions): Ask {
  const { disconnectPolicy, clock } = options;
  return async function ask(call, begun, attempt, once = false) {
    const { principal, room, notes } = call;
    const { model, attempts } = begun;
    const signal = disconnectPolicy.signalFor(call.signal);
    const sent: SentRequests = { unrefused: 0 };
    const account = accountOf(principal);
    try {
      const own = ownKey(principal);
      const hasLeft = () => call.signal.aborted;
      const inTurn = {
        model,
        isOwnKey: own !== null,
        isOnce: once,
        hasLeft,
        ask: (target: Target, isFirst: boolean) =>
          askWithRetries(
            keysOf(own, target, model),
            (key) => attempt(target, { key, account, signal, room, sent, notes }),
            { clock, signal, hasLeft, retries: isFirst && !once ? options.retries : 0, attempts },
          ),
      };
      const answer = await askInTurn(attempts, inTurn, options);
      call.onUpstream?.(attempts.target?.upstream ?? null);
      return answer;
    } catch (thrown) {
      throw await fail(call, begun, sent, toProxyError(thrown));
    }
  };
}

/** Settles a call that nobody has answered. Resolves with the error as the caller should see it. */
async function fail(
  call: Call,
  { settle, attempts }: BegunCall,
  sent: SentRequests,
  failure: ProxyError,
): Promise<ProxyError> {
  const error = asSeenBy(call.principal, failure);
  if (error.answered !== undefined) {
    call.onAnswered?.(error.answered);
    call.onUpstream?.(attempts.target?.upstream ?? null);
  }
  const seen = mayHaveCost(sent, failure) ? NOTHING_SEEN : undefined;
  await settle(isCanceled(error) ? "canceled" : "failed", { error, account: seen });
  return error;
}

/** A request that went out may have been served, unless the upstream has answered with an error. */
function mayHaveCost({ unrefused }: SentRequests, { details }: ProxyError): boolean {
  return unrefused > 0 && details.upstream_status === undefined;
}

/** A rejected key is the caller's error if it is their own; the operator's is ours, its text hidden. */
export function asSeenBy(principal: Principal, error: ProxyError): ProxyError {
  if (principal.kind === "own-key") return error;
  const { code, answered, retryAfterMs } = error;
  if (code === "key_rejected") return new ProxyError("upstream_key_rejected", { answered });
  if (code !== "key_exhausted") return error;
  return new ProxyError("upstream_exhausted", { answered, retryAfterMs });
}

/** Throws if a caller's own key would come to another upstream than the default one, or to another service. */
function keysOf(own: string | null, { upstream, kind, keyRing }: Target, model: string): KeySource {
  if (own === null) return { next: (tried) => keyRing.next(tried), ring: keyRing };
  if (upstream !== DEFAULT_UPSTREAM) {
    throw fieldError("model_not_available", "model", { model: shownModel(model) });
  }
  if (kind !== "anthropic" && isAnthropicKey(own)) throw new ProxyError("key_of_other_service");
  return { next: (tried) => (tried.size === 0 ? own : null), ring: null };
}

function accountOf(principal: Principal): KeyAccount | undefined {
  return principal.kind === "own-key" ? principal.account : undefined;
}

/** The key for this principal alone: sent with the call, or kept with a token. */
function ownKey(principal: Principal): string | null {
  if (principal.kind === "own-key") return principal.key;
  return principal.kind === "token" ? principal.found.upstreamKey() : null;
}
