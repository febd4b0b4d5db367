import type { Tools } from "./tools.ts";

export const exitCodes = {
  failure: 1,
  usage: 2,
  /** EX_CONFIG of sysexits.h. The server uses it too. */
  settings: 78,
} as const;

interface Option {
  /** Placeholder of the value in the help; null for a switch. */
  readonly value: string | null;
  readonly help: string;
  /** May be given several times: its field is a list. */
  readonly isList?: true;
}

export type Options = Readonly<Record<string, Option>>;

/** Options that every command has. */
export const commonOptions: Options = {
  json: { value: null, help: "print JSON" },
  help: { value: null, help: "print this help" },
};

/** What the command line gave. */
export interface Given {
  /** Options as the operations name fields: `--requests-per-day 100` is `requests_per_day: "100"`. */
  readonly fields: Readonly<Record<string, string | boolean | readonly string[]>>;
  /** Empty when it is optional and missing. */
  readonly operand: string;
  readonly json: boolean;
}

/** What a command prints: `value` with --json, otherwise `text`. */
export interface Output {
  readonly value: unknown;
  readonly text: string;
  /** 0 if left out. */
  readonly exitCode?: number;
}

export interface Command {
  /** "token create" */
  readonly name: string;
  readonly summary: string;
  /** "ID"; in brackets if it is optional: "[FILE]". */
  readonly operand?: string;
  readonly options?: Options;
  /** Further lines of help. */
  readonly notes?: readonly string[];
  /** Null if the command has already written its output. */
  run(given: Given, tools: Tools): Promise<Output | null>;
}

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function commandHelp({ name, summary, operand, options = {}, notes = [] }: Command): string {
  const lines = Object.entries({ ...options, ...commonOptions }).map(
    ([option, { value, help }]): [string, string] => [
      value === null ? `  --${option}` : `  --${option} ${value}`,
      help,
    ],
  );
  return [
    `Usage: ${usageOf({ name, operand })} [options]`,
    "",
    summary,
    "",
    "Options:",
    inColumns(lines),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** All commands, or only those whose name begins with `group`. */
export function overview(commands: readonly Command[], group: string): string {
  const found = commands.filter(({ name }) => name.split(" ")[0] === group);
  const listed = found.length > 0 ? found : commands;
  return [
    "Usage: parley COMMAND [options]",
    "",
    inColumns(listed.map((command) => [`  ${usageOf(command)}`, command.summary])),
    "",
    "`parley COMMAND --help` shows the options of a command. Settings are those of the server:",
    "DATA_DIR, DATABASE_URL, SECRET_KEY. Exit codes: 0 success, 1 failure, 2 wrong usage,",
    "78 wrong settings.",
  ].join("\n");
}

function usageOf({ name, operand }: { name: string; operand?: string | undefined }): string {
  return operand === undefined ? `parley ${name}` : `parley ${name} ${operand}`;
}

function inColumns(lines: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join("\n");
}
