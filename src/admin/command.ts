import type { ParseArgsOptionDescriptor } from "node:util";
import type { Clock } from "../core/ports.ts";
import type { Storage } from "../storage/open.ts";
import type { Admin } from "./operations.ts";

/** The process as a command sees it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Throws when the file can't be read. */
  readFile(path: string): string;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** To standard output; resolves when there is room for more. */
  write(piece: string): Promise<void>;
  /** A line to standard error. */
  complain(line: string): void;
}

interface Option {
  /** What stands for the value in the help; null for a switch. */
  readonly value: string | null;
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What was given on the command line. */
export interface Given {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly operands: readonly string[];
  readonly json: boolean;
}

/** The open database. */
interface Desk {
  readonly admin: Admin;
  readonly storage: Storage;
}

export interface Command {
  /** "token create" */
  readonly name: string;
  readonly summary: string;
  /** "ID", "[FILE]" */
  readonly operands: readonly string[];
  readonly options: Options;
  /** Further lines of help. */
  readonly notes?: readonly string[];
  run(given: Given, terminal: Terminal, tools: Tools): Promise<void>;
}

/** What commands share. */
export interface Tools {
  /** Opens the database for this one command and closes it after. */
  withDesk<T>(work: (desk: Desk) => Promise<T>): Promise<T>;
  /** What is wrong with all the settings, one line each; empty when nothing is. */
  settingProblems(): readonly { readonly name: string; readonly message: string }[];
  /** The SQLite file; throws where the database is another one. */
  sqliteFile(): string;
}

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What the settings say can't be: exit code 78. */
export class WrongSettings extends Error {
  override readonly name = "WrongSettings";
}

/** The command did its work and the answer is no: the text is already written. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

const everyCommand: Options = {
  json: { value: null, help: "print JSON" },
  help: { value: null, help: "print this help" },
};

/** For `parseArgs`. */
export function parsedOptions(options: Options): Record<string, ParseArgsOptionDescriptor> {
  const all = Object.entries({ ...options, ...everyCommand });
  return Object.fromEntries(
    all.map(([name, { value }]) => [name, { type: value === null ? "boolean" : "string" }]),
  );
}

/** `--requests-per-day 100` becomes `requests_per_day: "100"`, as the operations call it. */
export function fieldsOf(given: Given): Record<string, string | boolean> {
  const fields: Record<string, string | boolean> = {};
  for (const [name, value] of Object.entries(given.values)) {
    if (value === undefined || name in everyCommand) continue;
    fields[name.replaceAll("-", "_")] = value;
  }
  return fields;
}

export function commandHelp({ name, summary, operands, options, notes = [] }: Command): string {
  const all = Object.entries({ ...options, ...everyCommand });
  const lines = all.map(([option, { value, help }]) => [
    `  --${option}${value === null ? "" : ` ${value}`}`,
    help,
  ]);
  const width = Math.max(...lines.map(([left = ""]) => left.length));
  return [
    `Usage: ${["parley", name, ...operands, "[options]"].join(" ")}`,
    "",
    summary,
    "",
    "Options:",
    ...lines.map(([left = "", help]) => `${left.padEnd(width)}  ${help}`),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}
