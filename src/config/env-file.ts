import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { ConfigProblem, Environment } from "./read.ts";

const ENV_FILE = ".env";

/** Blanks are those that Node skips: others would become part of the name. */
const LINE = /^(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(.*)$/s;
/** Ends a line for some editors and not for Node, or is never meant. */
const STRAY = /[^\P{Cc}\t]|[\u2028\u2029]/u;
/** What may follow the closing quote of a value. */
const AFTER_VALUE = /^[ \t]*(?:#|$)/;

export type EnvFileResult =
  | { readonly env: Environment }
  | { readonly problems: readonly ConfigProblem[] };

/**
 * Reads `.env` in the working directory, if there is one; the environment wins over it. A byte order
 * mark is skipped. Any other mistake is a problem: a setting that is silently lost can open a server
 * to everybody.
 */
export function readEnvFile(path = ENV_FILE): EnvFileResult {
  const bytes = readIfExists(path);
  if (bytes === null) return { env: {} };
  if (bytes === "unreadable") return { problems: [{ name: ENV_FILE, key: "env_unreadable" }] };
  // UTF-16 of ASCII text is valid UTF-8 with zeros
  if (!isUtf8(bytes) || bytes.includes(0)) {
    return { problems: [{ name: ENV_FILE, key: "env_encoding" }] };
  }
  // files that were joined have their marks inside
  const text = bytes
    .toString("utf8")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/^\ufeff+/gm, "");
  const lines = malformedLines(text);
  if (lines.length === 0) return { env: parseEnv(text) };
  return {
    problems: lines.map((line) => ({ name: ENV_FILE, key: "env_line", params: { line } })),
  };
}

function readIfExists(path: string): Buffer | null | "unreadable" {
  try {
    return readFileSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : "unreadable";
  }
}

/** Numbers of lines that are not `NAME=value`, a comment or blank. A quoted value may span lines. */
function malformedLines(text: string): number[] {
  const lines = text.split("\n");
  const malformed: number[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? "").replace(/^[ \t]+/, "");
    if (line.trim() === "" || line.startsWith("#")) continue;
    const value = STRAY.test(line) ? undefined : LINE.exec(line)?.[1];
    const end = value === undefined ? null : endOfValue(lines, at, value);
    if (end === null) malformed.push(at + 1);
    else at = end;
  }
  return malformed;
}

/** Index of the value's last line, or null if its quote is never closed, or closed within the value. */
function endOfValue(lines: readonly string[], at: number, value: string): number | null {
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote === undefined) return at;
  const end = value.includes(quote, 1)
    ? at
    : lines.findIndex((line, index) => index > at && line.includes(quote));
  const last = end === at ? value.slice(1) : (lines[end] ?? "");
  return end !== -1 && AFTER_VALUE.test(last.slice(last.indexOf(quote) + 1)) ? end : null;
}
