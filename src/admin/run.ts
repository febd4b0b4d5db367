import { parseArgs } from "node:util";
import {
  type Command,
  commandHelp,
  type Given,
  parsedOptions,
  type Terminal,
  UsageError,
} from "./command.ts";
import { priceCommands } from "./commands/price.ts";
import { tokenCommands } from "./commands/token.ts";
import { upkeepCommands } from "./commands/upkeep.ts";
import { usageCommands } from "./commands/usage.ts";
import { exitCodes } from "./exit-codes.ts";
import { tellFailure } from "./failure.ts";
import { createTools } from "./tools.ts";

const commands: readonly Command[] = [
  ...tokenCommands,
  ...priceCommands,
  ...usageCommands,
  ...upkeepCommands,
];

/** Runs one command and returns the exit code. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const wantsHelp = args.includes("--help") || args.includes("-h") || args[0] === "help";
  const command = commandOf(args);
  if (wantsHelp || args.length === 0) {
    const text = command === null ? overview(args) : commandHelp(command);
    if (wantsHelp) await terminal.write(`${text}\n`);
    else terminal.complain(text);
    return wantsHelp ? 0 : exitCodes.usage;
  }
  try {
    if (command === null) throw new UsageError(`there is no command ${commandText(args)}`);
    await command.run(parse(command, args), terminal, createTools(terminal));
    return 0;
  } catch (thrown) {
    return tellFailure(thrown, command, terminal);
  }
}

/** The longest name wins: `usage export` is not `usage`. */
function commandOf(args: readonly string[]): Command | null {
  const words = args[0] === "help" ? args.slice(1) : args;
  const matching = commands.filter(({ name }) =>
    name.split(" ").every((word, at) => words[at] === word),
  );
  return matching.toSorted((a, b) => b.name.length - a.name.length)[0] ?? null;
}

function commandText(args: readonly string[]): string {
  const options = args.findIndex((one) => one.startsWith("-"));
  return args.slice(0, options === -1 ? 2 : options).join(" ") || String(args[0]);
}

/** All commands, or those that begin with what was given. */
function overview(args: readonly string[]): string {
  const [group = ""] = args.filter((one) => !one.startsWith("-") && one !== "help");
  const found = commands.filter(({ name }) => name.split(" ")[0] === group);
  const listed = found.length > 0 ? found : commands;
  const lefts = listed.map(({ name, operands }) => ["  parley", name, ...operands].join(" "));
  const width = Math.max(...lefts.map((left) => left.length));
  const lines = listed.map(({ summary }, at) => `${lefts[at]?.padEnd(width)}  ${summary}`);
  return [
    "Usage: parley COMMAND [options]",
    "",
    ...lines,
    "",
    "`parley COMMAND --help` tells more. The settings are those of the server: DATA_DIR,",
    "DATABASE_URL, SECRET_KEY. Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong settings.",
  ].join("\n");
}

function parse(command: Command, args: readonly string[]): Given {
  const { values, positionals } = parseArgs({
    args: args.slice(command.name.split(" ").length),
    options: parsedOptions(command.options),
    allowPositionals: true,
    strict: true,
  });
  const least = command.operands.filter((operand) => !operand.startsWith("[")).length;
  if (positionals.length < least) {
    throw new UsageError(`${command.operands[positionals.length]} is missing`);
  }
  const surplus = positionals[command.operands.length];
  if (surplus !== undefined) throw new UsageError(`${surplus} is one argument too many`);
  // No option may come twice, so none is a list.
  const given = values as Record<string, string | boolean | undefined>;
  return { values: given, operands: positionals, json: given.json === true };
}
