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
  /** By the upstream's name: what its targets' breakers are known by. */
  readonly breakers: ReadonlyMap<string, readonly string[]>;
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
    for (const model of models) {
      plans.set(model, alone({ ...target, breaker: breakerOf(name, model) }, unrouted.targets));
    }
  }
  for (const route of routes) plans.set(route.model, planOfRoute(route, ofName, isResting));
  const places = new Map<string, Plan>([[DEFAULT_UPSTREAM, unrouted]]);
  for (const [name, target] of kept) places.set(name, alone(target, []));
  const targets = [...plans.values(), ...places.values()].flatMap((plan) => plan.targets);
  return { plans, places, unrouted, breakers: breakersIn(targets) };
}

/** One model may fail at a service that answers for all others. */
function breakerOf(upstream: string, model: string): string {
  return `${upstream}:${model}`;
}

function breakersIn(targets: readonly Target[]): RoutingPlans["breakers"] {
  const found = new Map<string, Set<string>>();
  for (const { upstream, breaker } of targets) {
    const known = found.get(upstream) ?? new Set();
    if (breaker !== null) found.set(upstream, known.add(breaker));
  }
  return new Map([...found].map(([name, ids]) => [name, [...ids]]));
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
      if (target === undefined) return [];
      return [{ item: { ...target, model, breaker: breakerOf(upstream, model) }, weight }];
    }),
  );
  return planRouted(targets, {
    isResting,
    forOwnKey: ofDefault(targets.flat().map(({ item }) => item)),
  });
}
