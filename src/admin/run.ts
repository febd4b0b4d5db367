import { allCommands } from "./all-commands.ts";
import { type Command, exitCodes } from "./command.ts";
import { commandOf, isGroup, parseCommandLine, unknownCommand } from "./command-line.ts";
import { reportFailure } from "./failures.ts";
import { commandHelp, firstSteps, overview } from "./help.ts";
import type { Look } from "./table.ts";
import { createTools, errorLook, outputLook, type Terminal } from "./tools.ts";

/** Runs one command and returns the exit code. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const words = args[0] === "help" ? args.slice(1) : args;
  const command = commandOf(allCommands, words);
  if (args[0] === "help" || args.includes("--help") || args.includes("-h")) {
    await terminal.write(`${helpOf(command, words, outputLook(terminal))}\n`);
    return 0;
  }
  if (command === null && (args.length === 0 || isGroup(allCommands, args))) {
    return showCommands(args, terminal);
  }
  try {
    if (command === null) throw unknownCommand(allCommands, args);
    const given = parseCommandLine(command, args);
    const output = await command.run(given, createTools(terminal));
    if (output === null) return 0;
    await terminal.write(given.json ? `${JSON.stringify(output.value)}\n` : output.text);
    return output.exitCode ?? 0;
  } catch (thrown) {
    return reportFailure(thrown, command, terminal);
  }
}

function helpOf(command: Command | null, [group = ""]: readonly string[], look: Look): string {
  return command === null ? overview(allCommands, group, look) : commandHelp(command, look);
}

/** No command was named, which is no success: on standard error. */
function showCommands([group = ""]: readonly string[], terminal: Terminal): number {
  const look = errorLook(terminal);
  const isFirst = group === "" && createTools(terminal).isNew();
  const parts = isFirst ? [firstSteps(look), "", ""] : [];
  terminal.complain(parts.join("\n") + overview(allCommands, group, look));
  return exitCodes.usage;
}
