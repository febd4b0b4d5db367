#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { pino } from "pino";
import { compose } from "./compose.ts";
import { explainProblems } from "./config/explain.ts";
import { readConfig } from "./config/read.ts";
import type { Config } from "./config/settings.ts";
import type { Clock } from "./core/ports.ts";
import { createTranslate, defaultLanguage } from "./locales.ts";
import { createLog, describeError, type Log } from "./log.ts";
import { listen } from "./server.ts";
import { createFirst } from "./workers/first.ts";
import { createOthers, type WorkerData } from "./workers/others.ts";
import { ALONE } from "./workers/seat.ts";
import { createServing } from "./workers/serving.ts";
import { listenFirst } from "./workers/shared-port.ts";

/** Wrong settings, as sysexits.h numbers it: a supervisor need not try again. */
const EXIT_CONFIG = 78;
const UNSHAREABLE = "cannot share the port: on this system WORKERS must be 1";
/** Log lines leave in blocks of this size, or this often; the rest when the process ends. */
const LOG_BLOCK_BYTES = 16_000;
const LOG_FLUSH_MS = 100;

/** `performance.now` counts from each thread's own start; with what that start was, all agree. */
const [seconds, nanoseconds] = process.hrtime();
const originMs = seconds * 1_000 + nanoseconds / 1_000_000 - performance.now();
const clock: Clock = {
  monotonicMs: () => originMs + performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    wait(ms, undefined, { signal: signal as AbortSignal }).catch(() => undefined),
};

// what settings name is read once, so that all workers have the same
const given = workerData as WorkerData | null; // put there by others.ts
const files = new Map(given?.files);
const read = readConfig(process.env, (path) => {
  const text = files.get(path) ?? readFileSync(path, "utf8");
  files.set(path, text);
  return text;
});
if ("problems" in read) {
  const language = defaultLanguage(process.env.LANG ?? "");
  process.stderr.write(explainProblems(read.problems, createTranslate(), language));
  process.exit(EXIT_CONFIG);
}
if (isMainThread) await run(read.config);
else await runBeside(read.config);

/** Worker 0: what the process is seen by. */
async function run(config: Config): Promise<void> {
  const { WORKERS: workers, LOG_LEVEL, HOST, METRICS_PORT, SHUTDOWN_SECONDS: seconds } = config;
  const output = pino.destination({
    fd: 1,
    sync: false,
    minLength: LOG_BLOCK_BYTES,
    maxWrite: 2 * LOG_BLOCK_BYTES, // must be the larger; 16 KiB unless given
    periodicFlush: LOG_FLUSH_MS,
  });
  const log = createLog(LOG_LEVEL, output, workers > 1 ? 0 : null);
  const end = (code: number) => {
    log.flush();
    output.flushSync();
    process.exit(code);
  };
  let stopping = false;
  const others = createOthers({
    ...{ workers, files, log },
    writeLog: (text) => void output.write(text),
    onFailed: () => {
      if (!stopping) void stop(1);
    },
  });
  const parley = await compose(config, { clock, log, seat: workers > 1 ? others.seat : ALONE });
  const serving = createServing(parley);
  const stop = async (code: number) => {
    if (stopping) return end(1);
    stopping = true;
    const open = serving.leaveOff() + (await others.leaveOff());
    log.info("draining", { open_calls: open, seconds });
    const cut = await Promise.all([serving.finish(seconds), others.finish(seconds)]);
    log.info("drained", { cut: cut[0] + cut[1] });
    end(code);
  };
  process.on("SIGTERM", () => void stop(0));
  process.on("SIGINT", () => void stop(0));
  onUnforeseen(log, () => {
    if (!stopping) void stop(1);
  });
  try {
    const take = () => listen(parley.server, HOST, config.PORT, workers > 1);
    const port = workers > 1 ? await listenFirst(HOST, config.PORT, take) : await take();
    if (parley.metricsServer !== null && METRICS_PORT !== null) {
      await listen(parley.metricsServer, HOST, METRICS_PORT);
    }
    for (const { listener, port } of parley.listeners) {
      const name = listener.name;
      log.info("listening beside", { name, port: await listener.listen(HOST, port) });
    }
    await others.start(new URL(import.meta.url), port);
    if (stopping) return;
    log.info("listening", { port, route: config.ROUTE, workers });
    if (isOpenToAll(config)) warn("open_shared_key", config, log);
    if (config.CHATS_ACCESS === "open") warn("open_chats", config, log);
  } catch (error) {
    log.error(isUnshareable(error) ? UNSHAREABLE : "cannot listen", describeError(error));
    end(1);
  }
}

/** Any other worker: a thread that shares worker 0's port, and whatever is counted. */
async function runBeside(config: Config): Promise<void> {
  if (parentPort === null || given === null) throw new Error("not started by worker 0");
  const first = createFirst(parentPort, given);
  const log = createLog(config.LOG_LEVEL, { write: first.log }, given.number);
  onUnforeseen(log, first.failed);
  const parley = await compose(config, { clock, log, seat: first.seat });
  first.ready(createServing(parley), (port) => listen(parley.server, config.HOST, port, true));
}

function onUnforeseen(log: Log, fail: () => void): void {
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => {
      log.error(event, describeError(error));
      fail();
    });
  }
}

/** What libuv says of SO_REUSEPORT where it is missing, or does not spread connections. */
function isUnshareable(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOTSUP";
}

function isOpenToAll(config: Config): boolean {
  const limits = [config.SECOND_LIMIT, config.MINUTE_LIMIT, config.HOUR_LIMIT, config.DAY_LIMIT];
  const limited = limits.some((limit) => limit > 0);
  return config.API_KEY.length > 0 && !limited && config.ALLOWED_IPS === null;
}

function warn(key: string, config: Config, log: Log): void {
  log.warn(createTranslate()(defaultLanguage(config.LANG), `warning.${key}`));
}
