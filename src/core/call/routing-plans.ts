import { DEFAULT_UPSTREAM, type ModelRoute, type RoutingTable } from "../routing/routing.ts";
import { ofDefault, planRouted, planUnrouted } from "./plans.ts";
import type { Plan, Target } from "./targets.ts";

/** What is built from the table; built anew with each of its versions. */
export interface RoutingPlans {
  /** By the model's name. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** By the upstream's name. */
  readonly places: ReadonlyMap<string, Plan>;
  readonly unrouted: Plan;
}

/** A route wins over an upstream's list, and of two lists the first. */
export function plansFor(
  { upstreams, routes }: Pick<RoutingTable, "upstreams" | "routes">,
  base: Target,
  kept: ReadonlyMap<string, Target>,
  isResting: (target: Target) => boolean,
): RoutingPlans {
  const ofName = new Map([[DEFAULT_UPSTREAM, base], ...kept]);
  const unrouted = planUnrouted(base);
  const alone = (target: Target, forOwnKey: readonly Target[]) =>
    planRouted([[{ item: target, weight: 1 }]], { isResting, forOwnKey });
  const plans = new Map<string, Plan>();
  for (const { name, models } of upstreams.toReversed()) {
    const target = ofName.get(name);
    if (target === undefined) continue;
    for (const model of models) plans.set(model, alone(target, unrouted.targets));
  }
  for (const route of routes) plans.set(route.model, planOfRoute(route, ofName, isResting));
  const places = new Map<string, Plan>([[DEFAULT_UPSTREAM, unrouted]]);
  for (const [name, target] of kept) places.set(name, alone(target, []));
  return { plans, places, unrouted };
}

/** An upstream that can't be used is left out of its routes. */
function planOfRoute(
  { stages }: ModelRoute,
  ofName: ReadonlyMap<string, Target>,
  isResting: (target: Target) => boolean,
): Plan {
  const targets = stages.map((stage) =>
    stage.flatMap(({ upstream, model, weight }) => {
      const target = ofName.get(upstream);
      return target === undefined ? [] : [{ item: { ...target, model, isWatched: true }, weight }];
    }),
  );
  return planRouted(targets, {
    isResting,
    forOwnKey: ofDefault(targets.flat().map(({ item }) => item)),
  });
}
