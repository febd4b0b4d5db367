#!/usr/bin/env node
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { pino } from "pino";
import { compose, type Parley } from "./compose.ts";
import { explainProblems } from "./config/explain.ts";
import { readConfig } from "./config/read.ts";
import type { Config } from "./config/settings.ts";
import type { Clock } from "./core/ports.ts";
import { createTranslate, defaultLanguage } from "./locales.ts";
import { createLog, describeError } from "./log.ts";
import { listen } from "./server.ts";

/** Wrong settings, as sysexits.h numbers it: a supervisor need not try again. */
const EXIT_CONFIG = 78;
/** Log lines leave in blocks of this size, or this often; the rest when the process ends. */
const LOG_BLOCK_BYTES = 16_000;
const LOG_FLUSH_MS = 100;
/** After the streams were told to stop: for their last event to be written. */
const FAREWELL_MS = 1_000;

const clock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    wait(ms, undefined, { signal: signal as AbortSignal }).catch(() => undefined),
};

const read = readConfig(process.env, (path) => readFileSync(path, "utf8"));
if ("problems" in read) {
  const language = defaultLanguage(process.env.LANG ?? "");
  process.stderr.write(explainProblems(read.problems, createTranslate(), language));
  process.exit(EXIT_CONFIG);
}
await run(read.config);

async function run(config: Config): Promise<void> {
  const output = pino.destination({
    fd: 1,
    sync: false,
    minLength: LOG_BLOCK_BYTES,
    maxWrite: 2 * LOG_BLOCK_BYTES, // must be the larger; 16 KiB unless given
    periodicFlush: LOG_FLUSH_MS,
  });
  const log = createLog(config.LOG_LEVEL, output);
  const end = (code: number) => {
    log.flush();
    output.flushSync();
    process.exit(code);
  };
  const parley = await compose(config, { clock, log });
  let stopping = false;
  const stop = async (code: number) => {
    if (stopping) return end(1);
    stopping = true;
    await drain(parley, config.SHUTDOWN_SECONDS, log);
    end(code);
  };
  process.on("SIGTERM", () => void stop(0));
  process.on("SIGINT", () => void stop(0));
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => {
      log.error(event, describeError(error));
      if (!stopping) void stop(1);
    });
  }
  try {
    const port = await listen(parley.server, config.HOST, config.PORT);
    if (parley.metricsServer !== null && config.METRICS_PORT !== null) {
      await listen(parley.metricsServer, config.HOST, config.METRICS_PORT);
    }
    for (const { listener, port } of parley.listeners) {
      const name = listener.name;
      log.info("listening beside", { name, port: await listener.listen(config.HOST, port) });
    }
    log.info("listening", { port, route: config.ROUTE });
    if (isOpenToAll(config)) warn("open_shared_key", config, log);
    if (config.CHATS_ACCESS === "open") warn("open_chats", config, log);
  } catch (error) {
    log.error("cannot listen", describeError(error));
    end(1);
  }
}

/** No new calls, readiness off; what is being answered may finish; then everything closes. */
async function drain(parley: Parley, seconds: number, log: ReturnType<typeof createLog>) {
  const { openCalls, server, metricsServer } = parley;
  log.info("draining", { open_calls: openCalls.count, seconds });
  for (const event of ["request", "checkContinue"]) server.prependListener(event, askToLeave);
  const idle = openCalls.drain();
  parley.drain();
  await Promise.race([idle, wait(seconds * 1_000)]);
  const cut = openCalls.count;
  openCalls.abortAll();
  if (cut > 0) await Promise.race([idle, wait(FAREWELL_MS)]);
  server.close();
  server.closeAllConnections();
  metricsServer?.close();
  for (const { listener } of parley.listeners) await listener.close();
  await parley.close();
  log.info("drained", { cut });
}

/** A connection kept would carry the client's next call to a server that is gone: Connection: close. */
function askToLeave(_incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.shouldKeepAlive = false;
}

function isOpenToAll(config: Config): boolean {
  const limits = [config.SECOND_LIMIT, config.MINUTE_LIMIT, config.HOUR_LIMIT, config.DAY_LIMIT];
  const limited = limits.some((limit) => limit > 0);
  return config.API_KEY.length > 0 && !limited && config.ALLOWED_IPS === null;
}

function warn(key: string, config: Config, log: ReturnType<typeof createLog>): void {
  log.warn(createTranslate()(defaultLanguage(config.LANG), `warning.${key}`));
}
