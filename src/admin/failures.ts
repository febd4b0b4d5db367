import { ProxyError } from "../core/errors.ts";
import { reasonOf } from "../core/reason.ts";
import { FileAccessError } from "../storage/driver/access.ts";
import { storageProblem } from "../storage/driver/storage-errors.ts";
import { RestoreError } from "../storage/restore.ts";
import { type Command, CommandError, exitCodes, UsageError } from "./command.ts";
import { painted } from "./screen.ts";
import { printable } from "./table.ts";
import type { Texts } from "./texts.ts";
import { errorLook, SettingsError, type Terminal } from "./tools.ts";

/** Says on standard error what went wrong and returns the exit code. */
export function reportFailure(
  thrown: unknown,
  command: Command | null,
  terminal: Terminal,
): number {
  const { texts, screen } = errorLook(terminal);
  if (thrown instanceof SettingsError) {
    terminal.complain(thrown.message);
    return exitCodes.settings;
  }
  const line = lineOf(thrown, command, texts);
  terminal.complain(`${painted("parley:", "error", screen)} ${line}`);
  if (!isWrongUsage(thrown)) return exitCodes.failure;
  const meant = thrown instanceof UsageError ? thrown.meant : null;
  if (meant !== null) terminal.complain(texts.say("help.did_you_mean", { name: meant }));
  const help = command === null ? "parley --help" : `parley ${command.name} --help`;
  terminal.complain(texts.say("help.see", { command: help }));
  return exitCodes.usage;
}

function isWrongUsage(thrown: unknown): boolean {
  if (thrown instanceof ProxyError) return thrown.code.startsWith("field_");
  return thrown instanceof UsageError;
}

function lineOf(thrown: unknown, command: Command | null, texts: Texts): string {
  if (thrown instanceof CommandError) return problemText(thrown, texts);
  if (!(thrown instanceof ProxyError)) return failureOf(thrown, texts);
  const { code, params, cause } = thrown;
  // the operator reads this, and needs the reason that clients don't get
  if (HAS_REASON.has(code)) return failureOf(cause, texts);
  const what = whatIs(String(params.field), command, texts);
  const ofOption = what === null ? null : texts.find(`error.${code}`, { ...params, what });
  return ofOption ?? texts.error(code, params);
}

function problemText({ key, params }: CommandError, texts: Texts): string {
  const shown = Object.entries(params).map(([name, value]) => [
    name,
    typeof value === "string" ? printable(value) : value,
  ]);
  return texts.say(`problem.${key}`, Object.fromEntries(shown));
}

/**
 * The option or argument that fills a field; null if none does. An option that may be given several
 * times fills a field with a name in the plural.
 */
function whatIs(field: string, command: Command | null, texts: Texts): string | null {
  const name = field.replaceAll("_", "-");
  const known = command?.options ?? {};
  const own = Object.keys(known).find((one) => known[one]?.field === field);
  const option = own ?? [name, name.replace(/s$/, "")].find((one) => Object.hasOwn(known, one));
  if (option !== undefined) return texts.say("error.what_option", { name: `--${option}` });
  const operand = command?.operand?.replace(/[[\]]/g, "");
  if (operand?.toLowerCase() !== field) return null;
  return texts.say("error.what_argument", { name: operand });
}

const HAS_REASON: ReadonlySet<string> = new Set(["internal", "storage_unavailable"]);

/** What failed, in words; for a database also in its own. */
function failureOf(thrown: unknown, texts: Texts): string {
  const reason = reasonOf(thrown);
  if (thrown instanceof FileAccessError) return accessText(thrown, texts);
  if (thrown instanceof RestoreError) {
    const { key, file, detail } = thrown;
    return texts.say(`restore.problem.${key}`, { file, detail });
  }
  // an error about a file that the command was given
  if (thrown instanceof Error && "path" in thrown) {
    const code = "code" in thrown ? String(thrown.code) : "";
    return texts.find(`problem.file_${code}`, { file: String(thrown.path) }) ?? reason;
  }
  const problem = storageProblem(thrown);
  return problem === null ? reason : `${texts.say(`storage.${problem.cause}`)} (${reason})`;
}

function accessText({ file, owner, user }: FileAccessError, texts: Texts): string {
  const key = owner === user ? "file_of_mode" : "file_of_user";
  return texts.say(`problem.${key}`, { file, owner, user });
}
