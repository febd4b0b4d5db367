import { z } from "zod";
import { routeText } from "../core/routing/route-text.ts";
import {
  type ModelRoute,
  type RouteTarget,
  type ShownUpstream,
  upstreamKinds,
} from "../core/routing/routing.ts";
import type { Probed } from "../upstream/probe.ts";
import { view } from "./views.ts";

/** How the breaker of an upstream stands. */
export interface BreakerState {
  readonly state: "closed" | "open" | "probe";
  /** Until the next probe; 0 unless it is open. */
  readonly retryAfterMs: number;
}

export interface ListedUpstream extends Omit<ShownUpstream, "createdAt"> {
  /** Null: it is the one of the settings. */
  readonly createdAt: number | null;
}

interface Viewed extends ListedUpstream {
  /** Null where no calls are made. */
  readonly breaker: BreakerState | null;
}

const text = z.string();
const count = z.int();

const upstreamView = view<Viewed>()({
  name: [text, ({ name }) => name],
  kind: [z.enum(upstreamKinds), ({ kind }) => kind],
  url: [text, ({ url }) => url],
  models: [z.array(text), ({ models }) => [...models]],
  key_count: [count, ({ keyCount }) => keyCount],
  header_names: [z.array(text), ({ headerNames }) => [...headerNames]],
  proxy: [text.nullable().describe("Without user and password"), ({ proxy }) => proxy],
  concurrency: [count.nullable(), ({ concurrency }) => concurrency],
  answer_seconds: [count.nullable(), ({ answerSeconds }) => answerSeconds],
  first_token_seconds: [count.nullable(), ({ firstTokenSeconds }) => firstTokenSeconds],
  created_at: [
    z.iso.datetime().nullable().describe("Null: it is the one of the settings"),
    ({ createdAt }) => (createdAt === null ? null : new Date(createdAt).toISOString()),
  ],
  state: [
    z.enum(["closed", "open", "probe"]).nullable().describe("Of its breaker; open: not used"),
    ({ breaker }) => breaker?.state ?? null,
  ],
  retry_after_seconds: [
    count.nullable().describe("Until an open breaker lets a call through"),
    ({ breaker }) => (breaker?.state === "open" ? Math.ceil(breaker.retryAfterMs / 1_000) : null),
  ],
});

const probeView = view<Probed & { readonly name: string }>()({
  name: [text, ({ name }) => name],
  asked: [
    z.enum(["models", "answer"]).nullable().describe("Null: nothing, since nothing is free there"),
    ({ asked }) => asked,
  ],
  ok: [z.boolean().nullable(), ({ ok }) => ok],
  status: [count.nullable(), ({ status }) => status],
  models: [count.nullable().describe("How many it lists"), ({ models }) => models],
  connect_ms: [count.nullable(), ({ connectMs }) => connectMs],
  latency_ms: [count.nullable(), ({ latencyMs }) => latencyMs],
  reason: [text.nullable().describe("In the service's own words"), ({ reason }) => reason],
});

const targetView = view<RouteTarget>()({
  upstream: [text, ({ upstream }) => upstream],
  model: [text, ({ model }) => model],
  weight: [count, ({ weight }) => weight],
});

const routeView = view<ModelRoute>()({
  model: [text, ({ model }) => model],
  to: [text, ({ stages }) => routeText(stages)],
  stages: [
    z.array(z.array(targetView.schema)).describe("The same: each stage is the next resort"),
    ({ stages }) => stages.map((targets) => targets.map(targetView.show)),
  ],
});

export const upstreamViewSchemas = {
  upstream: upstreamView.schema,
  probe: probeView.schema,
  route: routeView.schema,
};

export const viewedUpstream = upstreamView.show;
export const viewedProbe = probeView.show;
export const viewedRoute = routeView.show;
