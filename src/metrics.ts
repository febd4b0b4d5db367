import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CallRecord, LimitDecision } from "./core/ports.ts";
import type { RequestEnd } from "./dialects/edge/facts.ts";

/** Answers of language models take from tenths of a second to minutes. */
const BUCKETS_SECONDS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300];

export interface MetricsSources {
  readonly openCalls: () => number;
  /** Codes of the address warnings in force. */
  readonly warnings: () => readonly string[];
  /** Models that get a label of their own; the rest, which clients choose, are `other`. */
  readonly models: readonly string[];
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
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: "parley_" });
  const counter = (name: string, help: string, labelNames: string[]) =>
    byLabels(new Counter({ name: `parley_${name}`, help, labelNames, registers }));
  const seconds = (name: string, help: string, labelNames: string[]) =>
    byLabels(
      new Histogram({
        name: `parley_${name}`,
        help,
        labelNames,
        buckets: BUCKETS_SECONDS,
        registers,
      }),
    );

  const requests = counter("http_requests_total", "HTTP requests answered.", ["route", "status"]);
  const durations = seconds("http_request_duration_seconds", "To the last byte.", ["route"]);
  const calls = counter("calls_total", "Calls by how they ended.", ["dialect", "outcome"]);
  const firstTokens = seconds("time_to_first_token_seconds", "Streams only.", ["dialect"]);
  const upstream = counter("upstream_answers_total", "What the upstream did.", ["outcome"]);
  const tokens = counter("tokens_total", "As the upstream counted.", ["direction", "model"]);
  const limits = counter("limit_decisions_total", "By the limiter.", ["decision", "window"]);
  addGauges(registry, sources);

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    request({ facts, status, durationMs }) {
      requests(facts.route, String(status)).inc();
      durations(facts.route).observe(durationMs / 1_000);
    },
    decision({ admitted, refusedBy }) {
      limits(admitted ? "admitted" : "refused", refusedBy?.name ?? "").inc();
    },
    call(record) {
      const { dialect, outcome, error, usage, firstTokenMs } = record;
      calls(dialect, outcome).inc();
      upstream(error ?? "answered").inc();
      if (firstTokenMs !== null) firstTokens(dialect).observe(firstTokenMs / 1_000);
      if (usage === null) return;
      const model = sources.models.includes(record.model) ? record.model : "other";
      tokens("prompt", model).inc(usage.promptTokens);
      tokens("completion", model).inc(usage.completionTokens);
    },
  };
}

function addGauges(registry: Registry, sources: MetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: "parley_open_calls",
    help: "Calls being answered now.",
    registers,
    collect() {
      this.set(sources.openCalls());
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

/** Looks a metric's labelled child up once: prom-client hashes the labels on each use, 1 µs a time. */
function byLabels<T>(metric: { labels(...values: string[]): T }): (...values: string[]) => T {
  const children = new Map<string, T>();
  return (...values) => {
    const key = values.join("\n");
    const known = children.get(key);
    if (known !== undefined) return known;
    const child = metric.labels(...values);
    children.set(key, child);
    return child;
  };
}
