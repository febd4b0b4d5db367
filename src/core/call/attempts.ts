import { fieldError } from "../common-errors.ts";
import type { ProxyError } from "../errors.ts";
import type { Lease } from "../ports.ts";
import { shownModel } from "../shown-model.ts";
import type { Principal } from "./call.ts";
import type { Plan, Target } from "./targets.ts";

/** Most requests for one call, over all targets, keys and retries. */
export const MAX_REQUESTS = 6;

/** Why a target was not asked: it rests, or it is full. */
export type PassedBy = "open" | "busy";

/** Where one call may be asked, and where it was. */
export class Attempts {
  /** In no order. */
  readonly targets: readonly Target[];
  /** First choice first. */
  readonly inTurn: Iterable<Target>;
  /** A target that fails rests, and another is asked. False: there is no other. */
  readonly isRouted: boolean;
  /** What is asked for belongs to the account of one key: to the others it does not exist. */
  readonly isKept: boolean;
  /** Asked last. */
  target: Target | null = null;
  /** Requests so far. */
  tries = 0;
  /** Of the target asked last. */
  failure: ProxyError | null = null;
  /** Why a target can't be asked this. */
  unsent: ProxyError | null = null;
  /** Of the targets that could have been asked; "busy" if any was. */
  passedBy: PassedBy | null = null;
  /** Of the target asked last, where it has a bound. */
  lease: Lease | null = null;

  constructor(
    targets: readonly Target[],
    isRouted: boolean,
    isKept = false,
    inTurn: Iterable<Target> = targets,
  ) {
    this.targets = targets;
    this.inTurn = inTurn;
    this.isKept = isKept;
    this.isRouted = isRouted;
  }

  /** The call no longer holds its target. May be called again. */
  leave(): void {
    const { lease } = this;
    this.lease = null;
    if (lease?.entered === true) lease.leave();
  }
}

/** Of a call that may be asked nowhere. */
export const NOWHERE = new Attempts([], false);

/** Whether a call of this principal may go anywhere. */
export function mayReach(plan: Plan, principal: Principal): boolean {
  return !plan.isRouted || plan.forOwnKey.length > 0 || !hasOwnKey(principal);
}

/** Throws `model_not_available` if the caller's own key may not go where the model is. */
export function attemptsBy(plan: Plan, principal: Principal, model: string): Attempts {
  if (!plan.isRouted) return new Attempts(plan.targets, false);
  if (!hasOwnKey(principal)) return new Attempts(plan.targets, true, false, plan.inTurn());
  if (plan.forOwnKey.length > 0) return new Attempts(plan.forOwnKey, false);
  throw fieldError("model_not_available", "model", { model: shownModel(model) });
}

/**
 * For a call that one upstream alone can answer: under the name that the model's route has for it there, else
 * under its own. `there`: the plan of that upstream. Null if it is gone.
 */
export function attemptsAt(upstream: string, plan: Plan, there: Plan | null): Attempts | null {
  const named = plan.targets.find((target) => target.upstream === upstream);
  if (named !== undefined) return new Attempts([named], false, true);
  return there === null ? null : new Attempts(there.targets, false, true);
}

function hasOwnKey(principal: Principal): boolean {
  if (principal.kind === "own-key") return true;
  return principal.kind === "token" && principal.found.token.hasUpstreamKey;
}
