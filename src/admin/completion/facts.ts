import { type Command, commonOptions } from "../command.ts";
import { optionHelp, summaryOf } from "../help.ts";
import type { Look } from "../table.ts";

/** What a script for a shell knows of a command. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly takesFile: boolean;
  /** What the operand may be. */
  readonly choices: readonly string[];
  readonly options: readonly CompletedOption[];
}

interface CompletedOption {
  /** "--by" */
  readonly name: string;
  readonly help: string;
  readonly hasValue: boolean;
  readonly choices: readonly string[];
}

export function completedCommands(commands: readonly Command[], look: Look) {
  return commands.map(
    (command): CompletedCommand => ({
      name: command.name,
      summary: summaryOf(command, look),
      takesFile: command.operand?.includes("FILE") === true,
      choices: command.choices ?? [],
      options: Object.entries({ ...command.options, ...commonOptions }).map(([name, option]) => ({
        name: `--${name}`,
        help: optionHelp(command, name, look),
        hasValue: option.value !== null,
        choices: option.choices ?? [],
      })),
    }),
  );
}

export interface NextWord {
  readonly word: string;
  readonly summary: string;
}

/** The first words of all commands, or the second ones behind `first`. */
export function nextWords(
  commands: readonly Command[],
  first: string | null,
  look: Look,
): readonly NextWord[] {
  const found = new Map<string, string>();
  for (const command of commands) {
    const [one = "", two] = command.name.split(" ");
    const topic = look.texts.find(`topic.${one}`) ?? summaryOf(command, look);
    if (first === null) found.set(one, topic);
    if (first === one && two !== undefined) found.set(two, summaryOf(command, look));
  }
  return Array.from(found, ([word, summary]) => ({ word, summary }));
}

/** First words that others follow. */
export function groupsOf(commands: readonly Command[]): readonly string[] {
  return [...new Set(commands.flatMap(({ name }) => (name.includes(" ") ? [firstOf(name)] : [])))];
}

function firstOf(name: string): string {
  return name.split(" ")[0] ?? "";
}

/** Names of two words. A shell has to look at the second to know the command. */
export function longNames(commands: readonly Command[]): string {
  return commands
    .filter(({ name }) => name.includes(" "))
    .map(({ name }) => quoted(name))
    .join("|");
}

/** For any of the shells: one word in single quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
