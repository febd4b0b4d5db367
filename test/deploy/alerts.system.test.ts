/** When each alert fires, and that it does not without cause: promtool plays the minutes. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { RULES } from "../support/prometheus.ts";
import { type AlertsFile, readYaml } from "./manifests.ts";

/** Values of a minute each, as promtool writes them: `0+60x40` is a counter that gains 60 a minute. */
type Series = Readonly<Record<string, string>>;

interface Case {
  readonly alert: string;
  readonly trouble: Series;
  readonly usual: Series;
}

const copies = (name: string, first: string, second: string, labels = ""): Series => ({
  [`${name}{job="parley",instance="a"${labels}}`]: first,
  [`${name}{job="parley",instance="b"${labels}}`]: second,
});
const calls = (failed: number): Series => ({
  'parley_calls_total{instance="a",outcome="completed"}': "0+100x60",
  'parley_calls_total{instance="a",outcome="failed"}': `0+${failed}x60`,
  // refused calls are no failures, and would hide them
  'parley_calls_total{instance="a",outcome="refused"}': "0+1000x60",
});
const requests = (broken: number): Series => ({
  'parley_http_requests_total{instance="a",status="200"}': "0+100x60",
  'parley_http_requests_total{instance="a",status="503"}': `0+${broken}x60`,
});
const decisions = (quick: number, all: number): Series => ({
  'parley_limits_store_seconds_bucket{instance="a",le="0.01"}': `0+${quick}x60`,
  'parley_limits_store_seconds_bucket{instance="a",le="0.1"}': `0+${all}x60`,
  'parley_limits_store_seconds_bucket{instance="a",le="+Inf"}': `0+${all}x60`,
});

const cases: readonly Case[] = [
  {
    alert: "ParleyCopyDown",
    trouble: copies("up", "1x60", "0x60"),
    usual: copies("up", "1x60", "1x60"),
  },
  { alert: "ParleyDown", trouble: {}, usual: copies("up", "1x60", "0x60") },
  {
    alert: "ParleyDatabaseDown",
    trouble: copies("parley_database_up", "1x60", "0x60"),
    usual: copies("parley_database_up", "1x60", "1x60"),
  },
  { alert: "ParleyRequestsFail", trouble: requests(10), usual: requests(1) },
  { alert: "ParleyCallsFail", trouble: calls(20), usual: calls(5) },
  {
    alert: "ParleyUpstreamRests",
    trouble: copies("parley_upstream_open", "1x60", "0x60", ',upstream="azure"'),
    usual: copies("parley_upstream_open", "0x60", "1x3 0x57", ',upstream="azure"'),
  },
  {
    alert: "ParleyLimitsStoreDown",
    trouble: copies("parley_limits_store_up", "1x60", "0x60"),
    usual: copies("parley_limits_store_up", "1x60", "1x60"),
  },
  {
    alert: "ParleyLimitsStoreUnsteady",
    trouble: copies("parley_limits_fallback_total", "0+2x60", "0x60"),
    usual: copies("parley_limits_fallback_total", "0x60", "5x60"),
  },
  { alert: "ParleyLimitsStoreSlow", trouble: decisions(90, 100), usual: decisions(100, 100) },
  {
    alert: "ParleyCopiesDisagree",
    trouble: copies("parley_instances", "2x60", "1x60"),
    usual: copies("parley_instances", "2x60", "2x60"),
  },
  {
    alert: "ParleyClientAddresses",
    trouble: copies("parley_client_address_warning", "1x60", "1x60", ',code="proxy_not_trusted"'),
    usual: {},
  },
  {
    alert: "ParleyBusy",
    trouble: copies("parley_process_cpu_seconds_total", "0+57x60", "0+20x60"),
    usual: copies("parley_process_cpu_seconds_total", "0+40x60", "0+20x60"),
  },
  {
    alert: "ParleySlowLoop",
    trouble: copies("parley_nodejs_eventloop_lag_p99_seconds", "0.3x60", "0.01x60"),
    usual: copies("parley_nodejs_eventloop_lag_p99_seconds", "0.02x60", "0.01x60"),
  },
  {
    alert: "ParleyMemory",
    trouble: copies("parley_process_resident_memory_bytes", "500000000x60", "100000000x60"),
    usual: copies("parley_process_resident_memory_bytes", "300000000x60", "100000000x60"),
  },
  {
    alert: "ParleyRestarts",
    trouble: copies("parley_process_start_time_seconds", "0+60x60", "1x60"),
    usual: copies("parley_process_start_time_seconds", "1x60", "1x20 2x40"),
  },
  {
    alert: "ParleyLogLost",
    trouble: copies("parley_log_lines_dropped_total", "0+1x60", "0x60"),
    usual: copies("parley_log_lines_dropped_total", "7x60", "0x60"),
  },
];

describe("alerts", { tags: "prometheus" }, () => {
  test("each has a case here", () => {
    const { groups } = readYaml<AlertsFile>("deploy/prometheus/alerts.yml");
    const named = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    expect(cases.map(({ alert }) => alert).toSorted()).toEqual(named.toSorted());
  });

  test.each(cases)("$alert fires with its trouble, and not without", async (one) => {
    await play(one);
  });

  test("a case that is wrong fails", async () => {
    const [first] = cases;
    await expect(play({ ...(first as Case), usual: copies("up", "1x60", "0x60") })).rejects.toThrow(
      "FAILED",
    );
  });
});

/** Throws with promtool's words if the alert does not behave so. */
async function play({ alert, trouble, usual }: Case): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parley-alerts-"));
  const path = join(folder, "test.json");
  const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
  const half = (series: Series, samples: readonly object[]) => ({
    interval: "1m",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [{ expr, eval_time: "45m", exp_samples: samples }],
  });
  const tests = [half(trouble, [{ labels: "{}", value: 1 }]), half(usual, [])];
  writeFileSync(path, JSON.stringify({ rule_files: [RULES], evaluation_interval: "1m", tests }));
  try {
    await promisify(execFile)("promtool", ["test", "rules", path]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
