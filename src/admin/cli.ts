#!/usr/bin/env node
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { systemClock } from "../clock.ts";
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
  clock: systemClock,
  readFile: (path) => readFileSync(path, "utf8"),
  readInput: () => text(stdin),
  write: async (piece) => {
    if (!stdout.write(piece)) await once(stdout, "drain");
  },
  complain: (line) => void stderr.write(`${line}\n`),
});
