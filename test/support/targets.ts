import type { KeyRing } from "../../src/core/call/key-ring.ts";
import { planUnrouted } from "../../src/core/call/plans.ts";
import type { Routing, Target } from "../../src/core/call/targets.ts";
import { ProxyError } from "../../src/core/errors.ts";
import type { Relay, Upstream } from "../../src/core/upstream-ports.ts";

const neverAsked = () => Promise.reject(new ProxyError("internal"));

interface TargetParts {
  readonly keyRing: KeyRing;
  readonly typed?: Upstream;
  readonly relay?: Relay;
}

/** An upstream that is the only one. */
export function onlyTarget(parts: TargetParts): Target {
  const typed = { complete: neverAsked, stream: neverAsked };
  const named = { upstream: "default", kind: "openai", model: null } as const;
  return { typed, relay: { send: neverAsked }, ...named, maxOpen: 0, breaker: null, ...parts };
}

/** Nothing is routed. */
export function onlyRouting(target: Target): Routing {
  const plan = planUnrouted(target);
  return { planFor: () => plan, planOf: () => plan, routed: () => new Map() };
}
