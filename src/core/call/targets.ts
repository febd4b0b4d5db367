import type { MaybePromise } from "../maybe-promise.ts";
import type { UpstreamKind } from "../routing/routing.ts";
import type { Relay, Upstream } from "../upstream-ports.ts";
import type { KeyRing } from "./key-ring.ts";

/** A place where a call may be asked: an upstream, and the model's name there. */
export interface Target {
  /** Its name. */
  readonly upstream: string;
  readonly kind: UpstreamKind;
  /** Null: as the client named it. */
  readonly model: string | null;
  /** The operator's keys for it. */
  readonly keyRing: KeyRing;
  readonly typed: Upstream;
  readonly relay: Relay;
  /** Most calls that are open at once; 0: without a bound. */
  readonly maxOpen: number;
  /** By what its breaker is known. Null: its failures are not counted, as there is no other upstream. */
  readonly breaker: string | null;
}

/** Who answers for a model. */
export interface Plan {
  /** The operator has said who answers: by a route, or by an upstream's list. */
  readonly isRouted: boolean;
  /** Every target, in no order. */
  readonly targets: readonly Target[];
  /** For one call with the operator's keys: first choice first. Takes a turn with each that is read. */
  inTurn(): Iterable<Target>;
  /** Where a caller's own key may go: to the default upstream alone, or nowhere. */
  readonly forOwnKey: readonly Target[];
}

/** What the operator has set, as it is now. */
export interface Routing {
  planFor(model: string): MaybePromise<Plan>;
  /** What has been routed, by the model's name. */
  routed(): MaybePromise<ReadonlyMap<string, Plan>>;
  /** The upstream of this name under every model's own name; null if it is gone. */
  planOf(upstream: string): Plan | null;
}
