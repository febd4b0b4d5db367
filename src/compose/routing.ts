import type { Config } from "../config/settings.ts";
import { plansFor } from "../core/call/routing-plans.ts";
import type { Routing, Target } from "../core/call/targets.ts";
import { whenReady } from "../core/maybe-promise.ts";
import type { Clock } from "../core/ports.ts";
import { DEFAULT_UPSTREAM, type RoutingStore } from "../core/routing/routing.ts";
import type { Log } from "../log.ts";
import type { OperatorAlerts } from "./alerts.ts";
import { describeFailure } from "./failures.ts";
import type { LimitStores } from "./limits.ts";
import { createRefresh } from "./refresh.ts";
import { composeTargets } from "./targets.ts";

/** Who answers for what, as the operator has it in the database now. */
export interface LiveRouting extends Routing {
  /** Every upstream, the default one first. */
  states(): readonly UpstreamState[];
  /** Until every model of the upstream is asked again; 0: none rests. Milliseconds. */
  restsMs(name: string): number;
  /** The store, whose changes hold here at once. */
  readonly store: RoutingStore;
  close(): Promise<void>;
}

export interface UpstreamState {
  readonly name: string;
  readonly restsMs: number;
}

export interface RoutingNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: RoutingStore;
  readonly limits: Pick<LimitStores, "cooldowns" | "breakers">;
  readonly digestKey: (key: string) => string;
  readonly alerts: Pick<OperatorAlerts, "alert">;
}

/** Follows the table of upstreams and routes. */
export async function composeRouting(config: Config, needs: RoutingNeeds): Promise<LiveRouting> {
  const { clock, log, limits } = needs;
  const { breakers } = limits;
  const restMs = (id: string | null) => (id === null ? 0 : breakers.remainingMs(id));
  const isResting = ({ breaker, keyRing }: Target) => restMs(breaker) > 0 || keyRing.restMs() > 0;
  const targets = composeTargets(config, needs);
  const table = await createRefresh({
    store: needs.store,
    clock,
    apply(read) {
      const kept = targets.keep(read.upstreams);
      // where it is the only one, nobody needs to know how it does
      const breaker = kept.size > 0 ? DEFAULT_UPSTREAM : null;
      return plansFor(read, { ...targets.base, breaker }, kept, isResting);
    },
    onError: (error) => log.error("upstreams and routes", describeFailure(error)),
    onUnreadable: (names) => log.error("no SECRET_KEY opens these upstreams", { names }),
  });
  const restsMs = (name: string) =>
    Math.max(0, ...(table.known().breakers.get(name) ?? []).map(restMs));
  return {
    planFor: (model) =>
      whenReady(table.now(), ({ plans, unrouted }) => plans.get(model) ?? unrouted),
    planOf: (name) => table.known().places.get(name) ?? null,
    routed: () => whenReady(table.now(), ({ plans }) => plans),
    states: () =>
      [...table.known().places.keys()].map((name) => ({ name, restsMs: restsMs(name) })),
    restsMs,
    store: table.store,
    close: targets.close,
  };
}
