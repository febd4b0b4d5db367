#!/usr/bin/env -S sh -c 'LC_MESSAGES="${LC_ALL:-$LC_MESSAGES}" LC_ALL=C.UTF-8 exec node "$0" "$@"'
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { styleText } from "node:util";
import { systemClock } from "../clock.ts";
import { readEnvFile } from "../config/env-file.ts";
import { explainProblems } from "../config/read.ts";
import { exitCodes } from "./command.ts";
import { runCommand } from "./run.ts";
import type { Screen } from "./screen.ts";
import { languageOf } from "./texts.ts";

const { stdin, stdout, stderr } = process;

// `parley usage export | head` closes the pipe once it has enough, which is no failure
stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") process.exit(0);
  stderr.write(`parley: standard output: ${code}\n`);
  process.exit(exitCodes.failure);
});
// complaints that nobody can read do not change the exit code
stderr.on("error", () => undefined);

const file = readEnvFile();
if ("problems" in file) {
  stderr.write(explainProblems(file.problems, languageOf(process.env)));
  process.exit(exitCodes.settings);
}
process.exitCode = await runCommand(process.argv.slice(2), {
  env: { ...file.env, ...process.env },
  clock: systemClock,
  readFile: (path) => readFileSync(path, "utf8"),
  readInput: () => text(stdin),
  write: async (piece) => {
    if (!stdout.write(piece)) await once(stdout, "drain");
  },
  complain: (line) => void stderr.write(`${line}\n`),
  out: screenOf(stdout),
  err: screenOf(stderr),
});

const COLUMNS = 80;

/** Node knows NO_COLOR, FORCE_COLOR and what TERM says. */
function screenOf(stream: NodeJS.WriteStream): Screen {
  // some terminals have no size
  const columns = stream.isTTY ? stream.columns || COLUMNS : null;
  return { columns, hasColors: styleText("red", "x", { stream }) !== "x" };
}
