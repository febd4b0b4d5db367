import { ProxyError } from "../core/errors.ts";
import { createTranslate, defaultLanguage } from "../locales.ts";
import {
  type Command,
  CommandFailed,
  type Terminal,
  UsageError,
  WrongSettings,
} from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

/** A failed command has a line on standard error and a code. */
export function tellFailure(thrown: unknown, command: Command | null, terminal: Terminal): number {
  if (thrown instanceof CommandFailed) return thrown.exitCode;
  if (thrown instanceof WrongSettings) {
    terminal.complain(thrown.message);
    return exitCodes.settings;
  }
  const wrongUsage = isWrongUsage(thrown);
  terminal.complain(`parley: ${lineOf(thrown, command, terminal)}`);
  if (wrongUsage && command !== null) terminal.complain(`See: parley ${command.name} --help`);
  if (wrongUsage && command === null) terminal.complain("See: parley --help");
  return wrongUsage ? exitCodes.usage : exitCodes.failure;
}

function isWrongUsage(thrown: unknown): boolean {
  if (thrown instanceof UsageError) return true;
  if (thrown instanceof ProxyError) return thrown.code.startsWith("field_");
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
  return typeof code === "string" && code.startsWith("ERR_PARSE_ARGS_");
}

function lineOf(thrown: unknown, command: Command | null, { env }: Terminal): string {
  if (!(thrown instanceof ProxyError)) return reasonOf(thrown);
  // Nobody outside sees this: the operator needs the reason.
  if (thrown.code === "internal") return reasonOf(thrown.cause);
  const { field } = thrown.params;
  const option = typeof field === "string" ? field.replaceAll("_", "-") : "";
  const isOption = command !== null && option in command.options;
  const params = isOption ? { ...thrown.params, field: `--${option}` } : thrown.params;
  return createTranslate()(defaultLanguage(env.LANG ?? ""), `error.${thrown.code}`, params);
}

/** One line; a database that is away says it in one error for each of its addresses. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const errors = thrown instanceof AggregateError ? thrown.errors.map(reasonOf) : [];
  // What parseArgs advises after the first sentence is about something else.
  const text = (thrown.message || errors.join("; ") || thrown.name).replace(
    /\. To specify .*/s,
    "",
  );
  return text.split("\n")[0] ?? text;
}
