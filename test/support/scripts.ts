/** Scripts of this project, run as its users run them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { deadline } from "./http.ts";
import { python } from "./needs.ts";

/** A start of Python takes a second where others run beside it. */
export const SCRIPT_MS = 20_000;
const pythonEnv = { ...process.env, PYTHONIOENCODING: "utf-8", NO_PROXY: "*" };

export interface RanScript {
  readonly code: number;
  /** Of stdout and stderr, in the order they came. */
  readonly output: string;
}

export interface ScriptOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Typed into it. */
  readonly lines?: readonly string[];
}

/** Runs a Python script, named from the root of the project. */
export function runPythonScript(
  script: string,
  { args = [], env = {}, lines = [] }: ScriptOptions = {},
): Promise<RanScript> {
  const path = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  return runPython([path, ...args], env, lines);
}

/** Runs the text of a Python script. */
export function runPythonCode(code: string, lines: readonly string[]): Promise<RanScript> {
  return runPython(["-c", code], {}, lines);
}

function runPython(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  lines: readonly string[],
): Promise<RanScript> {
  return outcomeOf(spawn(python ?? "python3", args, { env: { ...pythonEnv, ...env } }), lines);
}

/** What a program that was just started says, once it is over. */
export async function outcomeOf(
  child: ChildProcess,
  lines: readonly string[] = [],
): Promise<RanScript> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  child.stdin?.end(lines.map((line) => `${line}\n`).join(""));
  try {
    const [code] = await deadline(once(child, "close"), SCRIPT_MS, child.spawnfile);
    return { code: Number(code), output };
  } finally {
    child.kill();
  }
}
