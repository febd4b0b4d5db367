import { parseArgs } from "node:util";
import { type Command, commonOptions, type Given, type Options, UsageError } from "./command.ts";
import { nearestWord } from "./similar.ts";

/** The longest name wins: `usage export` is not `usage`. */
export function commandOf(commands: readonly Command[], args: readonly string[]): Command | null {
  const matching = commands.filter(({ name }) =>
    name.split(" ").every((word, at) => args[at] === word),
  );
  return matching.toSorted((a, b) => b.name.length - a.name.length)[0] ?? null;
}

/** Whether the words name several commands: `parley token`. */
export function isGroup(commands: readonly Command[], args: readonly string[]): boolean {
  const [first = "", second = "-"] = args;
  return second.startsWith("-") && commands.some(({ name }) => name.startsWith(`${first} `));
}

export function unknownCommand(commands: readonly Command[], args: readonly string[]): UsageError {
  const words = args.slice(0, 2).filter((word) => !word.startsWith("-"));
  const names = commands.map(({ name }) => name);
  const groups = names.flatMap((name) => (name.includes(" ") ? [name.split(" ")[0] ?? ""] : []));
  const isOfGroup = groups.includes(words[0] ?? "");
  const command = isOfGroup ? words.join(" ") : (words[0] ?? "");
  const meant = nearestWord(words.join(" "), names) ?? nearestWord(command, [...names, ...groups]);
  const params = { name: isOfGroup ? command : words.join(" ") };
  return new UsageError("command_unknown", params, meant === null ? null : `parley ${meant}`);
}

/** The arguments behind the name of the command. */
export function parseCommandLine(command: Command, args: readonly string[]): Given {
  const options: Options = { ...command.options, ...commonOptions };
  const fields: Record<string, string | boolean | readonly string[]> = {};
  const operands: string[] = [];
  for (const token of tokensOf(args.slice(command.name.split(" ").length), options)) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const value = checkedValue(token, options);
    const field = options[token.name]?.field ?? token.name.replaceAll("-", "_");
    const before = fields[field];
    const isList = options[token.name]?.isList === true;
    fields[field] = isList ? [...(Array.isArray(before) ? before : []), String(value)] : value;
  }
  const { json = false, help: _help, ...others } = fields;
  return { fields: others, operand: operandIn(operands, command), json: json === true };
}

function tokensOf(args: readonly string[], options: Options) {
  const types = Object.entries(options).map(
    ([name, { value }]) => [name, { type: value === null ? "boolean" : "string" }] as const,
  );
  // its own errors are in English only
  const parsed = parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return parsed.tokens;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkedValue(token: OptionToken, options: Options): string | true {
  const { name, rawName, value, inlineValue } = token;
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined || !rawName.startsWith("--")) {
    const meant = nearestWord(name, Object.keys(options));
    throw new UsageError("option_unknown", { name: rawName }, meant && `--${meant}`);
  }
  if (option.value === null) return switchedOn(token);
  // an option behind it is no value, but a lone - is standard input
  const isOption = inlineValue === false && /^-./.test(value ?? "");
  if (value === undefined || isOption)
    throw new UsageError("option_needs_value", { name: rawName });
  const { choices, hasSeveral } = option;
  const given = hasSeveral === true ? value.split(",").map((one) => one.trim()) : [value];
  if (choices !== undefined) requireChoices("option_choice", rawName, given, choices);
  return value;
}

function switchedOn({ rawName, value }: OptionToken): true {
  if (value === undefined) return true;
  throw new UsageError("option_takes_no_value", { name: rawName });
}

function requireChoices(
  key: "option_choice" | "operand_choice",
  name: string,
  given: readonly string[],
  choices: readonly string[],
): void {
  const wrong = given.find((one) => !choices.includes(one));
  if (wrong === undefined) return;
  throw new UsageError(key, { name, choices: choices.join(", ") }, nearestWord(wrong, choices));
}

function operandIn(operands: readonly string[], { operand, choices }: Command): string {
  const isOptional = operand === undefined || operand.startsWith("[");
  const [first] = operands;
  if (first === undefined && !isOptional)
    throw new UsageError("operand_missing", { name: operand });
  const surplus = operands[operand === undefined ? 0 : 1];
  if (surplus !== undefined) throw new UsageError("operand_surplus", { name: surplus });
  if (first !== undefined && choices !== undefined && operand !== undefined) {
    requireChoices("operand_choice", operand, [first], choices);
  }
  return first ?? "";
}
