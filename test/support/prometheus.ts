/** Prometheus as a process of its own, with the rules of this project; for tests with the tag "prometheus". */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import { postJson } from "./http.ts";
import { until } from "./process.ts";

/** One row of an instant vector; Prometheus writes numbers as texts, NaN and +Inf among them. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** What an expression is now; throws with Prometheus' words where it can't be evaluated. */
  query(expression: string): Promise<Sample[]>;
  close(): Promise<void>;
}

export const RULES = fileURLToPath(new URL("../../deploy/prometheus/alerts.yml", import.meta.url));
const START_MS = 20_000;

interface QueryReply {
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

/** Reads these ports of 127.0.0.1 twice a second, as the job `parley`. */
export async function startPrometheus(targetPorts: readonly number[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "parley-prometheus-"));
  const port = await freePort();
  writeFileSync(join(folder, "prometheus.yml"), configuration(targetPorts));
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const gone = once(child, "exit");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const query = (expression: string) => ask(port, expression);
  const close = async (): Promise<void> => {
    if (child.exitCode === null) child.kill("SIGKILL");
    await gone;
    rmSync(folder, { recursive: true });
  };
  const wanted = targetPorts.length;
  const hasRead = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`Prometheus did not start: ${said}`);
    const found = await query('sum(up{job="parley"})').catch(() => []);
    return found[0]?.value === wanted;
  };
  try {
    await until(hasRead, { label: "Prometheus has read every copy", timeoutMs: START_MS });
  } catch (error) {
    await close();
    throw error;
  }
  return { query, close };
}

async function ask(port: number, expression: string): Promise<Sample[]> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const { json } = await postJson(url, undefined, { method: "GET" });
  const { error, data } = json as QueryReply;
  if (data === undefined) throw new Error(`${expression}: ${error}`);
  return data.result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
}

function configuration(ports: readonly number[]): string {
  return JSON.stringify({
    global: { scrape_interval: "500ms", evaluation_interval: "500ms" },
    rule_files: [RULES],
    scrape_configs: [
      {
        job_name: "parley",
        static_configs: [{ targets: ports.map((one) => `127.0.0.1:${one}`) }],
      },
    ],
  });
}
