/** The real thing in this process: settings read from an environment, composed, on a free port. */

import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { compose, type Parley } from "../../src/compose/index.ts";
import { readConfig } from "../../src/config/read.ts";
import type { Config } from "../../src/config/settings.ts";
import type { Clock } from "../../src/core/ports.ts";
import { listen } from "../../src/http/server.ts";
import { createLog } from "../../src/log.ts";
import { deadline } from "./http.ts";
import { putMigrated } from "./migrated.ts";

export interface ParleyOptions {
  /** Real time, unless given. */
  readonly clock?: Clock;
}

export interface RunningParley {
  /** Where questions are posted: origin and route. */
  readonly url: string;
  /** Without a slash at its end. */
  readonly origin: string;
  readonly port: number;
  /** The origin of the metrics' own port, where METRICS_PORT is set (to whatever number). */
  readonly metricsOrigin: string | null;
  /** The ports beside HTTP's, by the names of their listeners; whatever number is set for them. */
  readonly ports: Readonly<Record<string, number>>;
  /** Every line logged so far, as text. */
  readonly log: readonly string[];
  readonly config: Config;
  readonly parley: Parley;
  /** Resolves with the first logged line that has this in it; a request is logged at its end. */
  logged(part: string): Promise<string>;
  /** Drops every connection. */
  close(): Promise<void>;
}

const LOG_WAIT_MS = 2_000;

export async function startParley(
  env: Readonly<Record<string, string>>,
  { clock = systemClock }: ParleyOptions = {},
): Promise<RunningParley> {
  const folder = mkdtempSync(join(tmpdir(), "parley-test-"));
  const read = readConfig({ DATA_DIR: folder, ...env }, (path) => readFileSync(path, "utf8"));
  if ("problems" in read) throw new Error(`wrong settings: ${JSON.stringify(read.problems)}`);
  const { config } = read;
  if (config.DATA_DIR === folder) await putMigrated(join(folder, "parley.sqlite"));
  const memory = createMemoryLog();
  const parley = await compose(config, { clock, log: createLog(config.LOG_LEVEL, memory) });
  const { server, metricsServer } = parley;
  const port = await listen(server, "127.0.0.1", 0);
  const metricsPort = metricsServer === null ? 0 : await listen(metricsServer, "127.0.0.1", 0);
  const ports: Record<string, number> = {};
  for (const { listener } of parley.listeners) {
    ports[listener.name] = await listener.listen("127.0.0.1", 0);
  }
  const origin = `http://127.0.0.1:${port}`;

  return {
    url: `${origin}${config.ROUTE}`,
    origin,
    port,
    metricsOrigin: metricsServer === null ? null : `http://127.0.0.1:${metricsPort}`,
    ports,
    log: memory.lines,
    config,
    parley,
    logged: memory.logged,
    close: async () => {
      const ended = [end(server), metricsServer === null ? null : end(metricsServer)];
      for (const { listener } of parley.listeners) await listener.close();
      // connections that have left HTTP end with it, and only then is the server's end told
      await parley.close();
      await Promise.all(ended);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface HeldClock extends Clock {
  forward(ms: number): void;
}

/** Stands still until told otherwise; whoever sleeps has slept at once. */
export function createHeldClock(startMs = 1_000_000): HeldClock {
  let nowMs = startMs;
  return {
    monotonicMs: () => nowMs,
    wallMs: () => Date.UTC(2026, 0, 1) + nowMs,
    sleep: () => Promise.resolve(),
    forward: (ms) => {
      nowMs += ms;
    },
  };
}

/** A destination that keeps its lines. */
function createMemoryLog() {
  const lines: string[] = [];
  const checks = new Set<() => void>();
  return {
    lines,
    write(text: string): void {
      lines.push(...text.split(/(?<=\n)/));
      for (const check of checks) check();
    },
    logged(part: string): Promise<string> {
      const found = new Promise<string>((resolve) => {
        const check = (): void => {
          const line = lines.find((one) => one.includes(part));
          if (line === undefined) return;
          checks.delete(check);
          resolve(line);
        };
        checks.add(check);
        check();
      });
      return deadline(found, LOG_WAIT_MS, `a log line with ${part}`);
    },
  };
}

async function end(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
