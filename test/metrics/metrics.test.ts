import { expect, test } from "vitest";
import type { CallRecord, LimitDecision } from "../../src/core/ports.ts";
import { createCounts, createDurations } from "../../src/metrics/counters.ts";
import { createMetrics, type MetricsSources } from "../../src/metrics/metrics.ts";

const sources: MetricsSources = {
  openCalls: () => 3,
  droppedLogLines: () => 0,
  isDatabaseUp: () => true,
  sharedStore: null,
  upstreams: () => [],
  warnings: () => [],
  models: ["known"],
};

const record: CallRecord = {
  requestId: "req-1",
  dialect: "openai",
  bucket: "203.0.113.7",
  principal: "visitor",
  model: "known",
  answeredBy: null,
  usage: { promptTokens: 5, completionTokens: 7, cachedTokens: null, totalTokens: 12 },
  provenance: "reported",
  upstreamId: null,
  outcome: "completed",
  error: null,
  streamed: true,
  firstTokenMs: 300,
  durationMs: 900,
  upstream: null,
  upstreamModel: null,
  tries: 1,
};

/** Samples of one metric as Prometheus text, without its comments. */
async function samples(metrics: ReturnType<typeof createMetrics>, name: string): Promise<string[]> {
  const text = await metrics.render();
  return text.split("\n").filter((line) => line.startsWith(`parley_${name}`));
}

test("counters add up by their labels", async () => {
  const counts = createCounts("n", "help", ["first", "second"]);
  counts.add(1, "a", "x");
  counts.add(2, "a", "x");
  counts.add(4, "a", "y");
  counts.add(8, "b", "x");
  const { values } = await counts.get();
  expect(values.map(({ labels, value }) => [labels.first, labels.second, value])).toEqual([
    ["a", "x", 3],
    ["a", "y", 4],
    ["b", "x", 8],
  ]);
});

test("a counter with one label shows that one", async () => {
  const counts = createCounts("n", "help", ["only"]);
  counts.add(1, "a");
  expect((await counts.get()).values).toEqual([{ labels: { only: "a" }, value: 1 }]);
});

test("a histogram is cumulative, and a value on a bound is within it", async () => {
  const durations = createDurations("d", "help", "route", [0.1, 1]);
  for (const ms of [50, 100, 101, 5_000]) durations.observe(ms, "r");
  const { values } = await durations.get();
  expect(values.map(({ metricName, labels, value }) => [metricName, labels.le, value])).toEqual([
    ["d_bucket", "0.1", 2],
    ["d_bucket", "1", 3],
    ["d_bucket", "+Inf", 4],
    ["d_sum", undefined, 5.251],
    ["d_count", undefined, 4],
  ]);
});

test("a call is counted by dialect, outcome, upstream result and model", async () => {
  const metrics = createMetrics(sources);
  metrics.call(record);
  metrics.call({ ...record, model: "chosen by a client", error: "upstream_failed" });
  metrics.call({ ...record, usage: null, firstTokenMs: null, outcome: "failed" });
  expect(await samples(metrics, "calls_total")).toEqual([
    'parley_calls_total{dialect="openai",outcome="completed"} 2',
    'parley_calls_total{dialect="openai",outcome="failed"} 1',
  ]);
  expect(await samples(metrics, "upstream_answers_total")).toEqual([
    'parley_upstream_answers_total{outcome="answered"} 2',
    'parley_upstream_answers_total{outcome="upstream_failed"} 1',
  ]);
  expect(await samples(metrics, "tokens_total")).toEqual([
    'parley_tokens_total{direction="prompt",model="known"} 5',
    'parley_tokens_total{direction="prompt",model="other"} 5',
    'parley_tokens_total{direction="completion",model="known"} 7',
    'parley_tokens_total{direction="completion",model="other"} 7',
  ]);
  expect(await samples(metrics, "time_to_first_token_seconds_count")).toEqual([
    'parley_time_to_first_token_seconds_count{dialect="openai"} 2',
  ]);
});

test("decisions of the limiter are counted by the window that refuses", async () => {
  const metrics = createMetrics(sources);
  const admitted: LimitDecision = {
    admitted: true,
    windows: [],
    refusedBy: null,
    retryAfterMs: 0,
    entry: null,
  };
  const refusedBy = {
    name: "minute",
    windowMs: 60_000,
    limit: 1,
    remaining: 0,
    resetMs: 1,
  } as const;
  metrics.decision(admitted);
  metrics.decision({ ...admitted, admitted: false, refusedBy });
  expect(await samples(metrics, "limit_decisions_total")).toEqual([
    'parley_limit_decisions_total{decision="admitted",window=""} 1',
    'parley_limit_decisions_total{decision="refused",window="minute"} 1',
  ]);
});

test("gauges show what holds when they are read", async () => {
  let warnings: string[] = ["shared_peer"];
  const metrics = createMetrics({ ...sources, warnings: () => warnings });
  expect(await samples(metrics, "open_calls")).toEqual(["parley_open_calls 3"]);
  expect(await samples(metrics, "database_up")).toEqual(["parley_database_up 1"]);
  const name = "client_address_warning";
  expect(await samples(metrics, name)).toEqual([`parley_${name}{code="shared_peer"} 1`]);
  warnings = [];
  expect(await samples(metrics, name)).toEqual([]);
});
