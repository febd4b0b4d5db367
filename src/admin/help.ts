import { type Command, commandUsage, commonOptions, textKey } from "./command.ts";
import { painted } from "./screen.ts";
import type { Look } from "./table.ts";
import { inColumns, wrapped } from "./width.ts";

/** Of a line, on terminals that are wider, and where there is none. */
const MAX_COLUMNS = 100;

export function commandHelp(command: Command, look: Look): string {
  const { say, find } = look.texts;
  const { options = {} } = command;
  const lines = Object.entries({ ...options, ...commonOptions }).map(
    ([option, { value }]): [string, string] => [
      value === null ? `  --${option}` : `  --${option} ${value}`,
      optionHelp(command, option, look),
    ],
  );
  const note = find(`${textKey(command)}.note`);
  return [
    usageLine(say("help.usage", { command: commandUsage(command) }), look),
    "",
    ...wrapped(summaryOf(command, look), columnsOf(look)),
    "",
    painted(say("help.options"), "heading", look.screen),
    inColumns(lines, columnsOf(look)),
    ...(note === null ? [] : ["", ...wrapped(note, columnsOf(look))]),
  ].join("\n");
}

export function summaryOf(command: Command, { texts }: Look): string {
  return texts.say(`${textKey(command)}.summary`);
}

/** Options that several commands have share a text, unless a command has its own. */
export function optionHelp(command: Command, option: string, { texts }: Look): string {
  const own = texts.find(`${textKey(command)}.option.${option}`);
  return own ?? texts.say(`option.${option}`);
}

/** All commands, or only those whose name begins with `group`. */
export function overview(commands: readonly Command[], group: string, look: Look): string {
  const { say } = look.texts;
  const found = commands.filter(({ name }) => name.split(" ")[0] === group);
  const listed = found.length > 0 ? found : commands;
  return [
    usageLine(say("help.usage", { command: "parley COMMAND" }), look),
    "",
    inColumns(
      listed.map((command) => [`  ${commandUsage(command)}`, summaryOf(command, look)]),
      columnsOf(look),
    ),
    "",
    ...wrapped(say("help.more"), columnsOf(look)),
  ].join("\n");
}

/** For an installation without a database. */
export function firstSteps(look: Look): string {
  const { say } = look.texts;
  const steps = [
    "parley config check",
    "parley token create --name alice",
    "parley doctor --url https://api.example.com",
  ].map((step, at): [string, string] => [`  ${step}`, say(`help.first_step_${at + 1}`)]);
  const heading = painted(say("help.first_steps"), "heading", look.screen);
  return [heading, inColumns(steps, columnsOf(look))].join("\n");
}

function usageLine(line: string, { screen }: Look): string {
  return line.replace(/^[^:：]+[:：]/, (word) => painted(word, "heading", screen));
}

function columnsOf({ screen }: Look): number {
  return Math.min(screen.columns ?? MAX_COLUMNS, MAX_COLUMNS);
}
