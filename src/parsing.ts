import { z } from "zod";

/** Why a value was refused. `K` names a locale text; `params` fill its placeholders. */
export interface Problem<K extends string = string> {
  readonly key: K;
  readonly params?: Readonly<Record<string, string | number>>;
}

interface Refusal<K extends string> {
  readonly problem: Problem<K>;
}

export type Parsed<T, K extends string = string> = { readonly value: T } | Refusal<K>;

export function refused<K extends string>(key: K, params?: Problem["params"]): Refusal<K> {
  return { problem: params === undefined ? { key } : { key, params } };
}

/** A schema whose values `parse` reads. zod carries its problem; `problemIn` gets it back. */
export function parsedBy<I, T>(input: z.ZodType<I>, parse: (given: I) => Parsed<T>) {
  return input.transform((given, context): T => {
    const parsed = parse(given);
    if ("value" in parsed) return parsed.value;
    context.addIssue({ code: "custom", params: { ...parsed.problem } });
    return z.NEVER;
  });
}

/** Null where zod itself refused the value. */
export function problemIn<K extends string>(issue: z.core.$ZodIssue): Problem<K> | null {
  return issue.code === "custom" ? (issue.params as unknown as Problem<K>) : null; // see parsedBy
}

/** Whether a header can carry the text: visible ASCII, no blanks. */
export function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** NaN for anything but plain digits: no sign, no blanks, no exponent. */
export function wholeNumberIn(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}
