import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { ConfigProblem, Environment } from "./read.ts";

const ENV_FILE = ".env";

const NAME = /^[\w.-]+$/;
const BYTE_ORDER_MARK = "\ufeff";

export type EnvFileResult =
  | { readonly env: Environment }
  | { readonly problems: readonly ConfigProblem[] };

/**
 * Adds the settings of `.env` in the working directory, if there is one; the environment wins. A
 * byte order mark is skipped, also one that another tool left in a name of the environment. Every
 * other slip is a problem: a setting that is silently lost can open a server to everybody.
 */
export function withEnvFile(env: Environment, path = ENV_FILE): EnvFileResult {
  const bytes = readIfExists(path);
  if (bytes === "unreadable") return { problems: [problem("env_unreadable")] };
  const given = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [withoutMark(name), value]),
  );
  if (bytes === null) return { env: given };
  // UTF-16 of ASCII is valid UTF-8, but for the zeros
  if (!isUtf8(bytes) || bytes.includes(0)) return { problems: [problem("env_encoding")] };
  const text = withoutMark(bytes.toString("utf8"));
  const lines = malformedLines(text);
  if (lines.length === 0) return { env: { ...parseEnv(text), ...given } };
  return { problems: lines.map((line) => problem("env_line", { line })) };
}

function readIfExists(path: string): Buffer | null | "unreadable" {
  try {
    return readFileSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : "unreadable";
  }
}

function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** Numbers of the lines that are no `NAME=value`, comment or blank; a quoted value may span lines. */
function malformedLines(text: string): number[] {
  const lines = text.split(/\r\n|\n|\r/);
  const malformed: number[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const name = line
      .slice(0, Math.max(equals, 0))
      .trim()
      .replace(/^export\s+/, "");
    const end = NAME.test(name) ? endOfValue(lines, at, line.slice(equals + 1).trim()) : null;
    if (end === null) malformed.push(at + 1);
    else at = end;
  }
  return malformed;
}

/** The last line of a value that begins on line `at`, or null if its quote is never closed. */
function endOfValue(lines: readonly string[], at: number, value: string): number | null {
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote === undefined || value.includes(quote, 1)) return at;
  const end = lines.findIndex((line, index) => index > at && line.includes(quote));
  return end === -1 ? null : end;
}

function problem(key: string, params: NonNullable<ConfigProblem["params"]> = {}): ConfigProblem {
  return { name: ENV_FILE, key, params };
}
