import { parseArgs } from "node:util";
import { ProxyError } from "../core/errors.ts";
import { reasonOf } from "../core/reason.ts";
import { createTranslate } from "../locales.ts";
import { FileAccessError } from "../storage/driver/access.ts";
import { storageProblem } from "../storage/driver/storage-errors.ts";
import {
  type Command,
  commandHelp,
  commonOptions,
  exitCodes,
  type Given,
  overview,
  UsageError,
} from "./command.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { groupCommands } from "./commands/group.ts";
import { operatorCommands } from "./commands/operator.ts";
import { priceCommands } from "./commands/price.ts";
import { routeCommands } from "./commands/route.ts";
import { tokenCommands } from "./commands/token.ts";
import { upkeepCommands } from "./commands/upkeep.ts";
import { upstreamCommands } from "./commands/upstream.ts";
import { usageCommands } from "./commands/usage.ts";
import { createTools, LANGUAGE, SettingsError, type Terminal } from "./tools.ts";

const commands = [
  ...tokenCommands,
  ...groupCommands,
  ...priceCommands,
  ...upstreamCommands,
  ...routeCommands,
  ...usageCommands,
  ...operatorCommands,
  ...upkeepCommands,
  doctorCommand,
];

/** Runs one command and returns the exit code. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first = "", second = ""] = args.filter((one) => one !== "help");
  const command = commandOf(args[0] === "help" ? args.slice(1) : args);
  const help = command === null ? overview(commands, first) : commandHelp(command);
  if (args.length === 0) {
    terminal.complain(help);
    return exitCodes.usage;
  }
  if (args[0] === "help" || args.includes("--help") || args.includes("-h")) {
    await terminal.write(`${help}\n`);
    return 0;
  }
  try {
    if (command === null) throw new UsageError(`there is no command ${first} ${second}`.trimEnd());
    const given = parse(command, args);
    const output = await command.run(given, createTools(terminal));
    if (output === null) return 0;
    await terminal.write(given.json ? `${JSON.stringify(output.value)}\n` : output.text);
    return output.exitCode ?? 0;
  } catch (thrown) {
    return reportFailure(thrown, command, terminal);
  }
}

/** The longest name wins: `usage export` is not `usage`. */
function commandOf(args: readonly string[]): Command | null {
  const matching = commands.filter(({ name }) =>
    name.split(" ").every((word, at) => args[at] === word),
  );
  return matching.toSorted((a, b) => b.name.length - a.name.length)[0] ?? null;
}

function parse({ name, operand, options }: Command, args: readonly string[]): Given {
  const types: Record<string, { type: "boolean" | "string"; multiple: boolean }> = {};
  for (const [option, { value, isList = false }] of Object.entries({
    ...options,
    ...commonOptions,
  })) {
    types[option] = { type: value === null ? "boolean" : "string", multiple: isList };
  }
  const rest = args.slice(name.split(" ").length);
  const { values, positionals } = parseArgs({ args: rest, options: types, allowPositionals: true });
  const isOptional = operand === undefined || operand.startsWith("[");
  if (positionals.length === 0 && !isOptional) throw new UsageError(`${operand} is missing`);
  const surplus = positionals[operand === undefined ? 0 : 1];
  if (surplus !== undefined) throw new UsageError(`${surplus} is one argument too many`);
  const fields = Object.entries(values)
    .filter(([option]) => !(option in commonOptions))
    .map(([option, value]) => [option.replaceAll("-", "_"), value]);
  const json = values.json === true;
  return { fields: Object.fromEntries(fields), operand: positionals[0] ?? "", json };
}

/** Says on standard error what went wrong and returns the exit code. */
function reportFailure(thrown: unknown, command: Command | null, terminal: Terminal): number {
  if (thrown instanceof SettingsError) {
    terminal.complain(thrown.message);
    return exitCodes.settings;
  }
  terminal.complain(`parley: ${lineOf(thrown, command)}`);
  if (!isWrongUsage(thrown)) return exitCodes.failure;
  terminal.complain(command === null ? "See: parley --help" : `See: parley ${command.name} --help`);
  return exitCodes.usage;
}

function isWrongUsage(thrown: unknown): boolean {
  if (thrown instanceof UsageError) return true;
  if (thrown instanceof ProxyError) return thrown.code.startsWith("field_");
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
  return typeof code === "string" && code.startsWith("ERR_PARSE_ARGS_");
}

function lineOf(thrown: unknown, command: Command | null): string {
  if (!(thrown instanceof ProxyError)) return failureOf(thrown);
  // the operator reads this, and needs the reason that clients don't get
  if (HAS_REASON.has(thrown.code)) return failureOf(thrown.cause);
  const option = optionOf(String(thrown.params.field), command);
  const text = (field: unknown) =>
    createTranslate()(LANGUAGE, `error.${thrown.code}`, { ...thrown.params, field: String(field) });
  // the texts speak of fields
  return option === null
    ? text(thrown.params.field)
    : text(`--${option}`).replace("field --", "option --");
}

/** An option that may be given several times fills a field with a name in the plural. */
function optionOf(field: string, command: Command | null): string | null {
  const name = field.replaceAll("_", "-");
  const known = command?.options ?? {};
  return [name, name.replace(/s$/, "")].find((one) => one in known) ?? null;
}

const HAS_REASON: ReadonlySet<string> = new Set(["internal", "storage_unavailable"]);

/** What failed, in words; for a database also in its own. */
function failureOf(thrown: unknown): string {
  // after its first sentence, parseArgs advises on something else
  const reason = reasonOf(thrown).replace(/\. To specify .*/s, "");
  // an error about a file that the command was given names it
  const isOfFile =
    thrown instanceof FileAccessError || (thrown instanceof Error && "path" in thrown);
  const problem = isOfFile ? null : storageProblem(thrown);
  return problem === null ? reason : `${problem.words} (${reason})`;
}
