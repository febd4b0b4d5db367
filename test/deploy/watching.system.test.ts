/** The alerts and the dashboard on a real Prometheus that reads two real copies. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { type ParleyProcess, startProcess, until } from "../support/process.ts";
import { type Prometheus, type Sample, startPrometheus } from "../support/prometheus.ts";
import { startRedis } from "../support/redis.ts";
import { startUpstream } from "../support/upstream.ts";
import { type AlertsFile, readYaml } from "./manifests.ts";

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const rules = readYaml<AlertsFile>("deploy/prometheus/alerts.yml").groups.flatMap(
  (group) => group.rules,
);
const { panels } = readYaml<{ panels: readonly Panel[] }>("deploy/grafana/parley.json");
const shown = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** Three programs start, and Prometheus reads twice. */
const SETUP_MS = 90_000;

const hasNumber = (samples: readonly Sample[]): boolean =>
  samples.some(({ value }) => Number.isFinite(value));

/** One streamed answer, so that every metric of a call moves. */
async function ask({ url }: ParleyProcess): Promise<void> {
  const messages = [{ role: "user", content: "Why is the sky blue?" }];
  const reply = await postJson(
    `${url}/v1/chat/completions`,
    { model: "gpt-4o-mini", messages, stream: true },
    { headers: { authorization: "Bearer sk-own-0123456789" } },
  );
  expect(reply.status).toBe(200);
}

describe("alerts and dashboard", { tags: ["prometheus", "redis"] }, () => {
  let prometheus: Prometheus;

  beforeAll(async () => {
    const upstream = closeAfterFile(await startUpstream());
    const redis = closeAfterFile(await startRedis());
    const folder = mkdtempSync(join(tmpdir(), "parley-watching-"));
    closeAfterFile({ close: () => rmSync(folder, { recursive: true }) });
    const env = {
      DATA_DIR: folder,
      OPENAI_URL: upstream.url,
      API_KEY: "sk-good",
      REDIS_URL: redis.url,
      MINUTE_LIMIT: "1000",
    };
    const copies = await Promise.all(
      [1, 2].map(async () => closeAfterFile(await startProcess(env))),
    );
    prometheus = closeAfterFile(await startPrometheus(copies.map(({ port }) => port)));
    // a rate needs calls between two readings of a row, which begins with its first call
    const counted = async (): Promise<boolean> => {
      await Promise.all(copies.map(ask));
      const found = await prometheus.query(
        "count(rate(parley_time_to_first_token_seconds_count[1m]) > 0)",
      );
      return found[0]?.value === copies.length;
    };
    await until(counted, { label: "calls are counted", timeoutMs: 20_000 });
  }, SETUP_MS);

  test.each(rules)("$alert compares a value that is there", async ({ expr }) => {
    await expect(prometheus.query(expr)).resolves.toBeInstanceOf(Array);
    const value = /^(.*) (?:==|>|<) [\d.]+\s*$/s.exec(expr)?.[1];
    expect(await prometheus.query(value ?? "")).toSatisfy(hasNumber);
  });

  test("copies that see each other are no reason for an alert", async () => {
    const expr = rules.find(({ alert }) => alert === "ParleyCopiesDisagree")?.expr ?? "";
    const isQuiet = async () => (await prometheus.query(expr)).length === 0;
    await until(isQuiet, { label: "every copy sees two", timeoutMs: 20_000 });
  });

  test.each(shown)("the dashboard shows $title: $expr", async ({ expr }) => {
    const filled = expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*");
    expect(await prometheus.query(filled)).toSatisfy(hasNumber);
  });
});
