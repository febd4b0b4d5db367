import type { TextParams } from "../locales.ts";
import type { Tools } from "./tools.ts";

export const exitCodes = {
  failure: 1,
  usage: 2,
  /** EX_CONFIG of sysexits.h. The server uses it too. */
  settings: 78,
} as const;

/** Its help is `command.<name of the command>.option.<name>` of the locales, or `command.option.<name>`. */
interface Option {
  /** Placeholder of the value in the help; null for a switch. */
  readonly value: string | null;
  /** Its field, where that is not called like the option. */
  readonly field?: string;
  /** May be given several times: its field is a list. */
  readonly isList?: true;
  /** All values that it takes; others are refused. */
  readonly choices?: readonly string[];
  /** The value is any of the choices, separated by commas. */
  readonly hasSeveral?: true;
}

export type Options = Readonly<Record<string, Option>>;

/** Options that every command has. */
export const commonOptions: Options = { json: { value: null }, help: { value: null } };

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

/**
 * Its texts are in the locales under `command.<name with dashes>`: `summary`, `note` where there is more
 * to say, and `option.<name>`.
 */
export interface Command {
  /** "token create" */
  readonly name: string;
  /** "ID"; in brackets if it is optional: "[FILE]". */
  readonly operand?: string;
  /** All values that the operand takes; others are refused. */
  readonly choices?: readonly string[];
  readonly options?: Options;
  /** Null if the command has already written its output. */
  run(given: Given, tools: Tools): Promise<Output | null>;
}

/** A failure with a text of its own: `command.problem.<key>` of the locales. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly key: string;
  readonly params: TextParams;

  constructor(key: string, params: TextParams = {}, options?: ErrorOptions) {
    super(key, options);
    this.key = key;
    this.params = params;
  }
}

/** The command line itself is wrong. */
export class UsageError extends CommandError {
  override readonly name = "UsageError";
  /** What was probably meant. */
  readonly meant: string | null;

  constructor(key: string, params: TextParams = {}, meant: string | null = null) {
    super(key, params);
    this.meant = meant;
  }
}

/** "token create" is token-create. */
export function textKey(command: Pick<Command, "name">): string {
  return command.name.replaceAll(" ", "-");
}

/** "parley token show ID" */
export function commandUsage({ name, operand }: Pick<Command, "name" | "operand">): string {
  return operand === undefined ? `parley ${name}` : `parley ${name} ${operand}`;
}
