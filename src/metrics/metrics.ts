import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from "prom-client";
import type { CallRecord, LimitDecision } from "../core/ports.ts";
import type { RequestEnd } from "../http/call/request-context.ts";
import { createCounts, createDurations, type PrintedMetric } from "./counters.ts";
import type { StoreFigures } from "./store-figures.ts";

/** Answers take from tenths of a second to minutes. */
const BOUNDS_SECONDS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300];

export interface MetricsSources {
  readonly openCalls: () => number;
  readonly droppedLogLines: () => number;
  /** Whether the last write was good. */
  readonly isDatabaseUp: () => boolean;
  /** Null where each instance counts by itself. */
  readonly sharedStore: SharedStoreSource | null;
  /** Every upstream, and how long it still rests. */
  readonly upstreams: () => readonly { readonly name: string; readonly restsMs: number }[];
  /** Codes of the address warnings in force. */
  readonly warnings: () => readonly string[];
  /** Models with a label of their own. Clients choose the others, which are counted as `other`. */
  readonly models: readonly string[];
}

export interface SharedStoreSource {
  readonly figures: StoreFigures;
  readonly isUp: () => boolean;
  readonly instances: () => number;
}

export interface Metrics {
  request(end: RequestEnd): void;
  call(record: CallRecord): void;
  decision(decision: LimitDecision): void;
  /** Prometheus text. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** Every label has a closed set of values: never an address, a token, a path or a client's text. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "parley_" });
  addOwn(registry, sources);
  if (sources.sharedStore !== null) addSharedStore(registry, sources.sharedStore);
  const printed = <T extends PrintedMetric>(metric: T): T => {
    registry.registerMetric(metric as unknown as Metric); // the registry calls get() only
    return metric;
  };
  const counts = (name: string, help: string, labelNames: readonly [string, string?]) =>
    printed(createCounts(`parley_${name}`, help, labelNames));
  const durations = (name: string, help: string, labelName: string) =>
    printed(createDurations(`parley_${name}`, help, labelName, BOUNDS_SECONDS));

  const requests = counts("http_requests_total", "HTTP requests.", ["route", "status"]);
  const lasted = durations("http_request_duration_seconds", "To the last byte.", "route");
  const calls = counts("calls_total", "Calls by outcome.", ["dialect", "outcome"]);
  const firstTokens = durations("time_to_first_token_seconds", "Streams only.", "dialect");
  const upstream = counts("upstream_answers_total", "What the upstream did.", ["outcome"]);
  const asked = counts("upstream_calls_total", "By who was asked last.", ["upstream", "outcome"]);
  const tokens = counts("tokens_total", "As the upstream counted.", ["direction", "model"]);
  const limits = counts("limit_decisions_total", "By the rate limiter.", ["decision", "window"]);

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    request({ context, status, durationMs }) {
      requests.add(1, context.route, String(status));
      lasted.observe(durationMs, context.route);
    },
    decision({ admitted, refusedBy }) {
      limits.add(1, admitted ? "admitted" : "refused", refusedBy?.name ?? "");
    },
    call(record) {
      const { dialect, outcome, error, usage, provenance, firstTokenMs } = record;
      calls.add(1, dialect, outcome);
      upstream.add(1, error ?? "answered");
      if (record.upstream !== null) asked.add(1, record.upstream, outcome);
      if (firstTokenMs !== null) firstTokens.observe(firstTokenMs, dialect);
      if (usage === null || provenance !== "reported") return;
      const model = sources.models.includes(record.model) ? record.model : "other";
      tokens.add(usage.promptTokens, "prompt", model);
      tokens.add(usage.completionTokens, "completion", model);
    },
  };
}

function addOwn(registry: Registry, sources: MetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: "parley_open_calls",
    help: "Calls in progress.",
    registers,
    collect() {
      this.set(sources.openCalls());
    },
  });
  new Counter({
    name: "parley_log_lines_dropped_total",
    help: "Log lines that could not be written.",
    registers,
    collect() {
      this.reset();
      this.inc(sources.droppedLogLines());
    },
  });
  new Gauge({
    name: "parley_database_up",
    help: "0 while the database takes no writes.",
    registers,
    collect() {
      this.set(sources.isDatabaseUp() ? 1 : 0);
    },
  });
  new Gauge({
    name: "parley_upstream_open",
    help: "1 while the breaker of an upstream is open.",
    labelNames: ["upstream"],
    registers,
    collect() {
      this.reset();
      for (const { name, restsMs } of sources.upstreams()) {
        this.set({ upstream: name }, restsMs > 0 ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: "parley_client_address_warning",
    help: "1 while client addresses look misconfigured.",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      for (const code of sources.warnings()) this.set({ code }, 1);
    },
  });
}

function addSharedStore(registry: Registry, { figures, isUp, instances }: SharedStoreSource): void {
  const registers = [registry];
  registry.registerMetric(figures.durations as unknown as Metric); // the registry calls get() only
  new Gauge({
    name: "parley_limits_store_up",
    help: "0 while this instance counts by itself.",
    registers,
    collect() {
      this.set(isUp() ? 1 : 0);
    },
  });
  new Gauge({
    name: "parley_instances",
    help: "Instances that were alive when the shared store last counted them.",
    registers,
    collect() {
      this.set(instances());
    },
  });
  new Counter({
    name: "parley_limits_fallback_total",
    help: "Decisions about limits that were made without the shared store.",
    registers,
    collect() {
      this.reset();
      this.inc(figures.fallbacks());
    },
  });
}
