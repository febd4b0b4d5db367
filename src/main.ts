#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { pino } from "pino";
import { systemClock } from "./clock.ts";
import { compose } from "./compose/index.ts";
import { readEnvFile } from "./config/env-file.ts";
import { explainProblems, readConfig } from "./config/read.ts";
import type { Config } from "./config/settings.ts";
import { createShutdown } from "./http/drain.ts";
import { listen } from "./http/server.ts";
import { createTranslate, defaultLanguage } from "./locales.ts";
import { createLog, describeError, type Log } from "./log.ts";

/** Wrong settings, as sysexits.h numbers it: a supervisor need not try again. */
const EXIT_CONFIG = 78;
/** Log lines leave in blocks of this size, or this often; the rest when the process ends. */
const LOG_BLOCK_BYTES = 16_000;
const LOG_FLUSH_MS = 100;

const file = readEnvFile();
const env = { ...("env" in file ? file.env : {}), ...process.env };
const read = "problems" in file ? file : readConfig(env, (path) => readFileSync(path, "utf8"));
if ("problems" in read) {
  process.stderr.write(explainProblems(read.problems, env.LANG));
  process.exit(EXIT_CONFIG);
}
await run(read.config);

async function run(config: Config): Promise<void> {
  const { LOG_LEVEL, HOST, METRICS_PORT, SHUTDOWN_SECONDS: seconds } = config;
  const output = pino.destination({
    fd: 1,
    sync: false,
    minLength: LOG_BLOCK_BYTES,
    maxWrite: 2 * LOG_BLOCK_BYTES, // above minLength, with room for the line that crosses it
    periodicFlush: LOG_FLUSH_MS,
  });
  const log = createLog(LOG_LEVEL, output);
  const end = (code: number) => {
    log.flush();
    output.flushSync();
    process.exit(code);
  };
  let stopping = false;
  const parley = await compose(config, { clock: systemClock, log });
  const shutdown = createShutdown(parley);
  const stop = async (code: number) => {
    if (stopping) return end(1);
    stopping = true;
    const open = shutdown.begin();
    log.info("draining", { open_calls: open, seconds });
    log.info("drained", { cut: await shutdown.finish(seconds) });
    end(code);
  };
  process.on("SIGTERM", () => void stop(0));
  process.on("SIGINT", () => void stop(0));
  onUnforeseen(log, () => {
    if (!stopping) void stop(1);
  });
  try {
    const port = await listen(parley.server, HOST, config.PORT);
    if (parley.metricsServer !== null && METRICS_PORT !== null) {
      await listen(parley.metricsServer, HOST, METRICS_PORT);
    }
    for (const { listener, port } of parley.listeners) {
      const name = listener.name;
      log.info("listening beside", { name, port: await listener.listen(HOST, port) });
    }
    log.info("listening", { port, route: config.ROUTE });
    if (isOpenToAll(config)) warn("open_shared_key", config, log);
    if (config.CHATS_ACCESS === "open") warn("open_chats", config, log);
  } catch (error) {
    log.error("cannot listen", describeError(error));
    end(1);
  }
}

function onUnforeseen(log: Log, fail: () => void): void {
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => {
      log.error(event, describeError(error));
      fail();
    });
  }
}

function isOpenToAll(config: Config): boolean {
  const limits = [config.SECOND_LIMIT, config.MINUTE_LIMIT, config.HOUR_LIMIT, config.DAY_LIMIT];
  const limited = limits.some((limit) => limit > 0);
  return config.API_KEY.length > 0 && !limited && config.ALLOWED_IPS === null;
}

function warn(key: string, config: Config, log: Log): void {
  log.warn(createTranslate()(defaultLanguage(config.LANG), `warning.${key}`));
}
