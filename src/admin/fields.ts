import { z } from "zod";
import { formatPrice, type Picodollars, parseMoney, parsePrice } from "../core/accounts/money.ts";
import { fieldError } from "../core/common-errors.ts";
import { type ErrorCode, type ErrorParams, ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { pathText } from "../http/body/field-problem.ts";
import { isHeaderText, type Parsed, type Problem, refused } from "../parsing.ts";

export type ParsedField<T> = Parsed<T, ErrorCode>;

/** JSON Schema for /openapi.json: zod can't see what a parser accepts. */
type Shown = Readonly<Record<string, unknown>>;

/** A value as JSON or a command line gives it: numbers may come as text. */
export function field<T>(shown: Shown, parse: (given: unknown) => ParsedField<T>) {
  const parseOrMiss = (given: unknown) => (given == null ? refused("field_missing") : parse(given));
  const schema = z.unknown().transform((given, context): T => {
    const parsed = parseOrMiss(given);
    if ("value" in parsed) return parsed.value;
    context.addIssue({ code: "custom", params: { ...parsed.problem } });
    return z.NEVER;
  });
  return schema.meta(shown);
}

/** Throws a ProxyError for the first mistake, with the path of the field. */
export function parseFields<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw issue === undefined ? new ProxyError("bad_request") : errorOf(issue);
}

function errorOf(issue: z.core.$ZodIssue): ProxyError {
  if (issue.code === "custom") {
    const problem = issue.params as unknown as Problem<ErrorCode>; // cast: field() stores it
    return errorAt(issue.path, problem.key, problem.params);
  }
  if (issue.code === "unrecognized_keys") {
    return errorAt([...issue.path, issue.keys[0] ?? ""], "field_unknown");
  }
  if (issue.code === "too_big") {
    return errorAt(issue.path, "field_too_many", { max: Number(issue.maximum) });
  }
  if (issue.path.length === 0) return new ProxyError("body_not_object");
  return errorAt(issue.path, "field_type", { expected: "object" });
}

/** Unknown fields may have names of any length. */
const MAX_FIELD_CHARACTERS = 100;

function errorAt(path: readonly PropertyKey[], code: ErrorCode, params?: ErrorParams): ProxyError {
  return fieldError(code, pathText(path).slice(0, MAX_FIELD_CHARACTERS), params);
}

export function wrongType(expected: string) {
  return refused("field_type", { expected });
}

/** One line without control characters, since terminals show it. */
export function plainText(max: number) {
  return field(textUpTo(max), (given) => plainTextIn(given, max));
}

function textUpTo(max: number): Shown {
  return { type: "string", minLength: 1, maxLength: max };
}

function plainTextIn(given: unknown, max: number): ParsedField<string> {
  if (typeof given !== "string") return wrongType("string");
  const value = given.trim();
  if (value === "") return refused("field_empty");
  if (value.length > max) return refused("field_too_long", { max });
  return /\p{Cc}/u.test(value) || !value.isWellFormed() ? wrongType("plain_text") : { value };
}

/** Text that a header can carry. */
export function headerValue(max: number) {
  return field(textUpTo(max), (given) => {
    const text = plainTextIn(given, max);
    return "problem" in text || isHeaderText(text.value) ? text : wrongType("plain_text");
  });
}

/** A whole number from 1 to `max`; as text, plain digits. */
export function count(max: number) {
  const shown = { type: ["integer", "string"], minimum: 1, maximum: max, pattern: "^\\d{1,15}$" };
  return field(shown, (given): ParsedField<number> => {
    const value = typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : given;
    if (typeof value !== "number" || !Number.isInteger(value)) return wrongType("whole_number");
    return value >= 1 && value <= max ? { value } : refused("field_range", { min: 1, max });
  });
}

/** US dollars, above 0. */
export function money() {
  const shown = { type: ["string", "number"], description: "US dollars, above 0" };
  return field(shown, (given): ParsedField<Picodollars> => {
    const value = parseMoney(String(given).trim());
    return value === null || value === 0n ? wrongType("money") : { value };
  });
}

/** US dollars per million tokens, in the shortest spelling. */
export function price() {
  const shown = { type: ["string", "number"], description: "US dollars per million tokens" };
  return field(shown, (given): ParsedField<string> => {
    const amount = parsePrice(String(given).trim());
    return amount === null ? wrongType("price") : { value: formatPrice(amount) };
  });
}

export function names(maxNames: number, maxCharacters: number) {
  const shown = {
    type: ["array", "string"],
    items: textUpTo(maxCharacters),
    minItems: 1,
    maxItems: maxNames,
    description: "A list, or text separated by commas",
  };
  return field(shown, (given): ParsedField<readonly string[]> => {
    const list: unknown = typeof given === "string" ? given.split(",") : given;
    if (!Array.isArray(list) || list.length === 0) return wrongType("names");
    if (list.length > maxNames) return refused("field_too_many", { max: maxNames });
    const value = new Set<string>();
    for (const one of list) {
      const name = plainTextIn(one, maxCharacters);
      if ("problem" in name) return name;
      value.add(name.value);
    }
    return { value: [...value] };
  });
}

/** Where a span such as 7d leads. "future" also refuses a time that has passed. */
type Direction = "back" | "forward" | "future";

export type WallClock = Pick<Clock, "wallMs">;

/** A date, a time with its zone, or a span of hours, days or weeks. Milliseconds since 1970. */
export function moment(clock: WallClock, direction: Direction) {
  const span = direction === "back" ? "before now" : "from now";
  const description = `A date, a time with its zone, or a span ${span}: 12h, 7d, 2w`;
  return field({ type: "string", description }, (given) => {
    const nowMs = clock.wallMs();
    const value = momentIn(given, nowMs, direction);
    if (direction !== "future") return value === null ? wrongType("moment") : { value };
    return value === null || value <= nowMs ? wrongType("future_moment") : { value };
  });
}

/** A span of hours, days or weeks. Milliseconds. */
export function span() {
  const description = "A span of time: 12h, 7d, 2w";
  return field(
    { type: "string", pattern: SPAN.source, description },
    (given): ParsedField<number> => {
      const value = typeof given === "string" ? spanIn(given.trim()) : null;
      return value === null || value === 0 ? wrongType("span") : { value };
    },
  );
}

const SPAN = /^(\d{1,4})([hdw])$/;
const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168 };
const HOUR_MS = 3_600_000;
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;

function momentIn(given: unknown, nowMs: number, direction: Direction): number | null {
  if (typeof given !== "string") return null;
  const text = given.trim();
  const ms = spanIn(text);
  if (ms !== null) return direction === "back" ? Math.max(0, nowMs - ms) : nowMs + ms;
  const at = ISO_TIME.test(text) ? Date.parse(text) : Number.NaN;
  const date = text.slice(0, 10);
  const day = new Date(`${date}T00:00:00Z`);
  // Date reads 2026-02-30 as March 2
  const isReal = at >= 0 && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  return isReal ? at : null;
}

function spanIn(text: string): number | null {
  const [, amount, unit = ""] = SPAN.exec(text) ?? [];
  return amount === undefined ? null : Number(amount) * (HOURS[unit] ?? 0) * HOUR_MS;
}

export function choiceOf<const T extends string>(choices: readonly T[]) {
  return field({ type: "string", enum: choices }, (given): ParsedField<T> => {
    const value = choices.find((one) => one === given);
    return value === undefined
      ? refused("field_choice", { choices: choices.join(", ") })
      : { value };
  });
}

export function flag() {
  const shown = { type: ["boolean", "string"], enum: [true, false, "true", "false"] };
  return field(shown, (given): ParsedField<boolean> => {
    const value = [true, false].find((one) => given === one || given === String(one));
    return value === undefined ? wrongType("boolean") : { value };
  });
}
