import { z } from "zod";

/** What the documents say of a setting beside its text; texts live in locales as `config.<NAME>`. */
export interface SettingFacts {
  readonly group:
    | "server"
    | "upstream"
    | "limits"
    | "conversations"
    | "transports"
    | "accounts"
    | "status";
  /** As it is printed in the documents; empty when there is none. */
  readonly default: string;
  /** Never printed, never logged, and also read from the file named by `<NAME>_FILE`. */
  readonly secret?: boolean;
  /** Other names that mean the same, for deployments of the systems Parley takes over from. */
  readonly aliases?: readonly string[];
  readonly example?: string;
}

const documented = z.registry<SettingFacts>();

/** The facts a setting was declared with. */
export function factsOf(schema: z.ZodType): SettingFacts {
  const facts = documented.get(schema);
  if (facts === undefined) throw new Error("a setting was declared without its facts");
  return facts;
}

/** Why a value was refused: the key of a locale text (`config_problem.<key>`) and its numbers. */
export interface Problem {
  readonly key: string;
  readonly params?: Readonly<Record<string, string | number>>;
}

type Facts = Omit<SettingFacts, "default">;

/**
 * A setting is read from text by `parse`, which returns the value or a Problem. An unset variable
 * is parsed from the default's own text, so that documents and behaviour can't differ.
 */
export function setting<T>(
  facts: SettingFacts,
  parse: (text: string) => { value: T } | { problem: Problem },
) {
  const schema = z.string().transform((text, context): T => {
    const result = parse(text);
    if ("value" in result) return result.value;
    context.addIssue({ code: "custom", params: result.problem });
    return z.NEVER;
  });
  const withDefault = schema.prefault(facts.default);
  documented.add(withDefault, facts);
  return withDefault;
}

/** One line: a line break or another control character is always a slip. */
export function text(fallback: string, facts: Facts) {
  return setting({ ...facts, default: fallback }, (value) =>
    /\p{Cc}/u.test(value) ? { problem: { key: "invalid" } } : { value },
  );
}

/** A list separated by commas or white space. */
export function list(fallback: string, facts: Facts) {
  return setting({ ...facts, default: fallback }, (value) => ({ value: splitList(value) }));
}

export function wholeNumber(fallback: number, min: number, max: number, facts: Facts) {
  return setting({ ...facts, default: String(fallback) }, (value) => toNumber(value, min, max));
}

/** A whole number, or null while unset. */
export function optionalNumber(min: number, max: number, facts: Facts) {
  return setting<number | null>({ ...facts, default: "" }, (value) =>
    value === "" ? { value: null } : toNumber(value, min, max),
  );
}

export function choice<const T extends string>(fallback: T, choices: readonly T[], facts: Facts) {
  return setting({ ...facts, default: fallback }, (value) => {
    const found = choices.find((one) => one === value.toLowerCase());
    if (found !== undefined) return { value: found };
    return { problem: { key: "choice", params: { choices: choices.join(", ") } } };
  });
}

export function splitList(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter((entry) => entry !== "");
}

function toNumber(value: string, min: number, max: number) {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return { value: number };
  return { problem: { key: "whole_number", params: { min, max } } };
}
