/** Every regular expression of src, with texts made to keep it busy. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkSync } from "recheck";
import { parseAst } from "rolldown/parseAst";

export interface Pattern {
  readonly path: string;
  readonly regex: RegExp;
}

interface Node {
  readonly type?: unknown;
  readonly regex?: { readonly pattern: string; readonly flags: string };
  readonly callee?: { readonly name?: unknown };
}

const src = fileURLToPath(new URL("../../src/", import.meta.url));

/** Literals; `built` names the files that make patterns from strings. */
export function patternsOfSource(): { patterns: readonly Pattern[]; built: readonly string[] } {
  const patterns = new Map<string, Pattern>();
  const built: string[] = [];
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" });
  for (const path of paths.filter((one) => one.endsWith(".ts"))) {
    const note = ({ regex: literal, callee }: Node) => {
      if (callee?.name === "RegExp") built.push(path);
      if (literal === undefined) return;
      const regex = new RegExp(literal.pattern, literal.flags);
      patterns.set(String(regex), { path, regex });
    };
    visit(parseAst(readFileSync(src + path, "utf8"), { lang: "ts" }) as Node, note);
  }
  // what repeats nothing without a bound costs the same for each character
  const repeating = [...patterns.values()].filter(({ regex }) =>
    /[*+]|\{\d+,\}/.test(regex.source),
  );
  return { patterns: repeating, built };
}

function visit(node: Node, note: (node: Node) => void): void {
  note(node);
  for (const child of Object.values(node)) {
    if (typeof child === "object" && child !== null) visit(child, note);
  }
}

/** Makes a text of about so many bytes. */
export type Attack = (bytes: number) => string;

const RECHECK_MS = 500;

/** What recheck finds, and what slowed patterns down elsewhere: one part repeated after a good start. */
export function attacksOn(regex: RegExp): readonly Attack[] {
  const starts = new Set(["", startOf(regex)]);
  const parts = new Set([...PUMPS, ...[...starts].filter(Boolean), ...piecesOf(regex)]);
  const attacks: Attack[] = [...starts].flatMap((start) =>
    [...parts].flatMap((part) =>
      ENDS.map((end) => (bytes: number) => start + part.repeat(bytes / part.length) + end),
    ),
  );
  const checked = checkSync(regex.source, regex.flags, { timeout: RECHECK_MS });
  if (checked.status !== "vulnerable") return attacks;
  const { pumps, suffix } = checked.attack;
  const perPump = (bytes: number) => bytes / pumps.length;
  const found: Attack = (bytes) =>
    pumps.map(({ prefix, pump }) => prefix + pump.repeat(perPump(bytes) / pump.length)).join("") +
    suffix;
  return [...attacks, found];
}

const PUMPS = [..." \t\n\r\u00a0\u00020aA-.,;:=/\\\"'{}[]<>|$&_%*é\u4e2d\ufeff"];
const ENDS = ["", "\u0000", "x y"];

/** The plain text that a pattern begins with. */
function startOf({ source }: RegExp): string {
  return unescaped(/^\^?((?:[\w\s"<|>:$=,./-]|\\[^\wdsbDSBW])*)/.exec(source)?.[1] ?? "");
}

/** Runs of plain text in a pattern. */
function piecesOf({ source }: RegExp): string[] {
  const runs = source.match(/(?:[\w":,=-]|\\[^\w]){2,}/g) ?? [];
  return runs.map(unescaped).filter((run) => run !== "");
}

function unescaped(source: string): string {
  return source.replaceAll(/\\(\W)/g, "$1");
}

const ROUNDS = 3;

/** Milliseconds of this thread's time that a pattern takes for a text, the best of three. */
export function costOf(regex: RegExp, text: string): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.threadCpuUsage();
    if (regex.global) text.replace(regex, "");
    else regex.exec(text);
    const { user, system } = process.threadCpuUsage(before);
    leastMs = Math.min(leastMs, (user + system) / 1_000);
    if (leastMs < QUICK_MS || leastMs > SLOW_MS) break;
  }
  return leastMs;
}

/** Too little to be compared. */
export const QUICK_MS = 4;
/** Far more than a busy machine adds. */
const SLOW_MS = 250;
