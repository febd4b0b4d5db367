#!/usr/bin/env node
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { withEnvFile } from "../config/env-file.ts";
import { explainProblems } from "../config/explain.ts";
import { createTranslate, defaultLanguage } from "../locales.ts";
import { exitCodes } from "./exit-codes.ts";
import { runCommand } from "./run.ts";

const { stdin, stdout, stderr } = process;

// `parley usage export | head` closes the pipe when it has seen enough: that is no failure.
stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const filed = withEnvFile(process.env);
if ("problems" in filed) {
  const language = defaultLanguage(process.env.LANG ?? "");
  stderr.write(explainProblems(filed.problems, createTranslate(), language));
  process.exit(exitCodes.settings);
}
process.exitCode = await runCommand(process.argv.slice(2), {
  env: filed.env,
  clock: {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms, signal) =>
      wait(ms, undefined, { signal: signal as AbortSignal }).catch(() => undefined),
  },
  readFile: (path) => readFileSync(path, "utf8"),
  readInput: () => text(stdin),
  write: async (piece) => {
    if (!stdout.write(piece)) await once(stdout, "drain");
  },
  complain: (line) => void stderr.write(`${line}\n`),
});
