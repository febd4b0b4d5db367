import { expect, test } from "vitest";
import type { CallRecord, LimitDecision } from "../../src/core/ports.ts";
import type { RequestContext } from "../../src/http/call/request-context.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";

const record: CallRecord = {
  requestId: "request-1",
  dialect: "openai",
  bucket: "192.0.2.1",
  principal: "visitor",
  model: "gpt-4o-mini",
  answeredBy: "gpt-4o-mini-2024-07-18",
  usage: { promptTokens: 100, completionTokens: 50, totalTokens: 150, cachedTokens: 0 },
  upstreamId: "chatcmpl-1",
  outcome: "completed",
  error: null,
  streamed: true,
  firstTokenMs: 250,
  durationMs: 800,
};
const context: RequestContext = {
  requestId: "request-1",
  language: "en",
  client: { address: "192.0.2.1", bucket: "192.0.2.1", peer: "192.0.2.1", forwarded: "none" },
  startedMs: 0,
  route: "openai chat",
  limits: null,
  record: null,
};

function scene() {
  const state = { openCalls: 0, warnings: [] as string[] };
  const metrics = createMetrics({
    openCalls: () => state.openCalls,
    warnings: () => state.warnings,
    models: ["gpt-4o-mini"],
  });
  /** The lines of one metric without its comments. */
  const lines = async (name: string) =>
    (await metrics.render()).split("\n").filter((line) => line.startsWith(`parley_${name}`));
  return { metrics, state, lines };
}

const ended = (durationMs: number, status = 200) => ({
  context,
  method: "POST",
  status,
  durationMs,
});

test("requests are counted by route and status", async () => {
  const { metrics, lines } = scene();
  for (const status of [200, 200, 429]) metrics.request(ended(1, status));
  expect(await lines("http_requests_total")).toEqual([
    'parley_http_requests_total{route="openai chat",status="200"} 2',
    'parley_http_requests_total{route="openai chat",status="429"} 1',
  ]);
});

test("a duration counts in its own bucket and all larger ones, one at a bound in that of the bound", async () => {
  const { metrics, lines } = scene();
  for (const ms of [0, 100, 100.1, 8_000, 300_000, 300_001]) metrics.request(ended(ms));
  const label = 'route="openai chat"';
  const counts = [2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 6];
  const bounds = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, "+Inf"];
  expect(await lines("http_request_duration_seconds")).toEqual([
    ...bounds.map(
      (le, at) => `parley_http_request_duration_seconds_bucket{${label},le="${le}"} ${counts[at]}`,
    ),
    `parley_http_request_duration_seconds_sum{${label}} ${608.2011}`,
    `parley_http_request_duration_seconds_count{${label}} 6`,
  ]);
});

test("a call counts by how it ended, and its tokens by model", async () => {
  const { metrics, lines } = scene();
  metrics.call(record);
  metrics.call({ ...record, model: "what a client made up" });
  metrics.call({ ...record, outcome: "failed", error: "upstream_timeout", usage: null });
  expect(await lines("calls_total")).toEqual([
    'parley_calls_total{dialect="openai",outcome="completed"} 2',
    'parley_calls_total{dialect="openai",outcome="failed"} 1',
  ]);
  expect(await lines("upstream_answers_total")).toEqual([
    'parley_upstream_answers_total{outcome="answered"} 2',
    'parley_upstream_answers_total{outcome="upstream_timeout"} 1',
  ]);
  expect(await lines("tokens_total")).toEqual([
    'parley_tokens_total{direction="prompt",model="gpt-4o-mini"} 100',
    'parley_tokens_total{direction="prompt",model="other"} 100',
    'parley_tokens_total{direction="completion",model="gpt-4o-mini"} 50',
    'parley_tokens_total{direction="completion",model="other"} 50',
  ]);
});

test("only streams have a time to their first token", async () => {
  const { metrics, lines } = scene();
  metrics.call(record);
  metrics.call({ ...record, streamed: false, firstTokenMs: null });
  expect(await lines("time_to_first_token_seconds_count")).toEqual([
    'parley_time_to_first_token_seconds_count{dialect="openai"} 1',
  ]);
});

test("decisions of the limiter are counted, a refusal by its window", async () => {
  const { metrics, lines } = scene();
  const admitted: LimitDecision = {
    admitted: true,
    windows: [],
    refusedBy: null,
    retryAfterMs: 0,
    entry: null,
  };
  const refusedBy = {
    name: "minute",
    limit: 3,
    remaining: 0,
    resetMs: 1,
    windowMs: 60_000,
  } as const;
  metrics.decision(admitted);
  metrics.decision({ ...admitted, admitted: false, refusedBy });
  expect(await lines("limit_decisions_total")).toEqual([
    'parley_limit_decisions_total{decision="admitted",window=""} 1',
    'parley_limit_decisions_total{decision="refused",window="minute"} 1',
  ]);
});

test("what holds now is looked up when it is asked for", async () => {
  const { state, lines } = scene();
  state.openCalls = 3;
  state.warnings = ["forwarded_ignored"];
  expect(await lines("open_calls")).toEqual(["parley_open_calls 3"]);
  expect(await lines("client_address_warning")).toEqual([
    'parley_client_address_warning{code="forwarded_ignored"} 1',
  ]);
  state.warnings = [];
  expect(await lines("client_address_warning")).toEqual([]);
});

test("two of them in a process count apart", async () => {
  const [one, other] = [scene(), scene()];
  one.metrics.call(record);
  expect(await other.lines("calls_total")).toEqual([]);
});
