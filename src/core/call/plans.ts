import { DEFAULT_UPSTREAM } from "../routing/routing.ts";
import { type Weighted, WeightedTurns } from "../routing/turns.ts";
import type { Plan, Target } from "./targets.ts";

/** For a model that nobody has routed: the default upstream, whatever its state. */
export function planUnrouted(target: Target): Plan {
  const targets = [target];
  return { isRouted: false, targets, inTurn: () => targets, forOwnKey: targets };
}

export interface RoutedOptions {
  /** Whether a target rests, because it failed or its keys were turned down. */
  readonly isResting: (target: Target) => boolean;
  /** Where a caller's own key may go. */
  readonly forOwnKey: readonly Target[];
}

/**
 * The stages are resorts of weighted alternatives. What rests comes last: by then it may be ready, or be
 * the only one left.
 */
export function planRouted(
  stages: readonly (readonly Weighted<Target>[])[],
  { isResting, forOwnKey }: RoutedOptions,
): Plan {
  const targets = stages.flatMap((stage) => stage.map(({ item }) => item));
  const turns = stages.map((stage) => new WeightedTurns(stage));
  return {
    isRouted: true,
    targets,
    forOwnKey,
    // a turn is taken when a target is asked, not before: else the same ones would stand in for each other
    *inTurn() {
      const asked = new Set<Target>();
      const mayHave = (target: Target) => !(asked.has(target) || isResting(target));
      for (const turn of turns) {
        for (let next = turn.next(mayHave); next !== null; next = turn.next(mayHave)) {
          asked.add(next);
          yield next;
        }
      }
      for (const target of targets) if (!asked.has(target)) yield target;
    },
  };
}

/** The targets of a route that are the default upstream's. */
export function ofDefault(targets: readonly Target[]): readonly Target[] {
  return targets.filter(({ upstream }) => upstream === DEFAULT_UPSTREAM).slice(0, 1);
}
