#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "./clock.ts";
import { describeListen, describeStart, SettingMistake } from "./compose/failures.ts";
import { compose, type Parley } from "./compose/index.ts";
import { readEnvFile } from "./config/env-file.ts";
import { type ConfigProblem, explainProblems, readConfig } from "./config/read.ts";
import type { Config } from "./config/settings.ts";
import { createShutdown } from "./http/drain.ts";
import { listen } from "./http/server.ts";
import { createLineWriter } from "./line-writer.ts";
import { createTranslate, defaultLanguage, readLang } from "./locales.ts";
import { createLog, describeError, type Log, type LogFields, lossLine } from "./log.ts";

/** Wrong settings, as sysexits.h numbers it: a supervisor need not try again. */
const EXIT_CONFIG = 78;
/** After DRAIN_DELAY_SECONDS and SHUTDOWN_SECONDS, the process is gone within this, whatever does not end. */
const MAX_CLOSING_MS = 600;
/** For the last lines, if nobody reads them. */
const LAST_FLUSH_MS = 250;
/** For the last lines, as long as somebody does; MAX_CLOSING_MS is a part of it. */
const MAX_FLUSH_MS = 850;

const file = readEnvFile();
const env = { ...("env" in file ? file.env : {}), ...process.env };
const read = "problems" in file ? file : readConfig(env, (path) => readFileSync(path, "utf8"));
await ("problems" in read ? refuse(read.problems) : run(read.config));

async function refuse(problems: readonly ConfigProblem[]): Promise<never> {
  const complaints = createLineWriter(2, { lossLine, unblock: () => void process.stderr });
  complaints.write(explainProblems(problems, env.LANG));
  await complaints.flush(LAST_FLUSH_MS);
  return process.exit(EXIT_CONFIG);
}

async function run(config: Config): Promise<void> {
  const { LOG_LEVEL, SHUTDOWN_SECONDS: seconds } = config;
  const { DRAIN_DELAY_SECONDS: delaySeconds } = config;
  const output = createLineWriter(1, { lossLine, unblock: () => void process.stdout });
  const log = createLog(LOG_LEVEL, output);
  const end = async (code: number, mostMs?: number): Promise<never> => {
    await output.flush(LAST_FLUSH_MS, mostMs);
    return process.exit(code);
  };
  const fail = (message: string, why: LogFields) => {
    log.error(message, why);
    return end(1);
  };
  let stopping = false;
  const parley = await compose(config, { clock: systemClock, log }).catch((error: unknown) =>
    error instanceof SettingMistake
      ? refuse(error.problems)
      : fail("cannot start", describeStart(error, config)),
  );
  const shutdown = createShutdown(parley);
  const stop = async (code: number) => {
    if (stopping) process.exit(1); // without the last lines
    stopping = true;
    shutdown.retire();
    let leftMs = seconds * 1_000;
    // not after an error that nobody foresaw: who knows what calls would get
    if (delaySeconds > 0 && code === 0) {
      log.info("leaving", { open_calls: parley.openCalls.count, seconds: delaySeconds });
      leftMs = Math.max(0, leftMs - (await shutdown.leave(delaySeconds)));
    }
    const lastMs = performance.now() + leftMs + MAX_FLUSH_MS;
    output.makeRoom();
    const open = shutdown.begin();
    log.info("draining", { open_calls: open, seconds });
    const drained = shutdown.finish(leftMs).then(
      (cut) => log.info("drained", { cut }),
      (error: unknown) => log.error("not closed in order", describeError(error)),
    );
    await Promise.race([drained, wait(leftMs + MAX_CLOSING_MS)]);
    parley.giveUp();
    await end(code, lastMs - performance.now());
  };
  process.on("SIGTERM", () => void stop(0));
  process.on("SIGINT", () => void stop(0));
  onUnforeseen(log, () => {
    if (!stopping) void stop(1);
  });
  try {
    const port = await listenAll(parley, config, log);
    log.info("listening", { port, route: config.ROUTE });
    warnOf(config, log);
    await parley.offerSetup(port);
  } catch (error) {
    await fail("cannot listen", describeListen(error));
  }
}

/** Returns the port of HTTP. */
async function listenAll(parley: Parley, config: Config, log: Log): Promise<number> {
  const { HOST, PORT, METRICS_PORT } = config;
  const port = await listen(parley.server, HOST, PORT);
  if (parley.metricsServer !== null && METRICS_PORT !== null) {
    await listen(parley.metricsServer, HOST, METRICS_PORT);
  }
  for (const { listener, port } of parley.listeners) {
    const name = listener.name;
    log.info("listening beside", { name, port: await listener.listen(HOST, port) });
  }
  return port;
}

function onUnforeseen(log: Log, fail: () => void): void {
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => {
      log.error(event, describeError(error));
      fail();
    });
  }
}

function warnOf(config: Config, log: Log): void {
  if (!readLang(config.LANG).known) warn("unknown_language", config, log);
  if (isOpenToAll(config)) warn("open_shared_key", config, log);
  if (config.CHATS_ACCESS === "open") warn("open_chats", config, log);
}

function isOpenToAll(config: Config): boolean {
  const limits = [config.SECOND_LIMIT, config.MINUTE_LIMIT, config.HOUR_LIMIT, config.DAY_LIMIT];
  const limited = limits.some((limit) => limit > 0);
  const visitors = config.SHARED_KEY === "all" && config.ALLOWED_IPS === null;
  return config.API_KEY.length > 0 && !limited && visitors;
}

function warn(key: string, config: Config, log: Log): void {
  const text = createTranslate()(defaultLanguage(config.LANG), `warning.${key}`);
  log.warn(text, { warning: key });
}
