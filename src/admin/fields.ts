import { z } from "zod";
import { formatPrice, type Picodollars, parseMoney, parsePrice } from "../core/accounts/money.ts";
import { type ErrorCode, type ErrorParams, ProxyError } from "../core/errors.ts";

/** Why a value was refused, beside the field's name. */
interface FieldProblem {
  readonly code: ErrorCode;
  readonly params?: ErrorParams;
}

type Parsed<T> = { readonly value: T } | { readonly problem: FieldProblem };

/** What is taken, as JSON Schema: for /openapi.json, as a parser of our own says nothing of it. */
type Shown = Readonly<Record<string, unknown>>;

/** A value as JSON or a command line gives it: numbers may come as text. */
function field<T>(shown: Shown, parse: (given: unknown) => Parsed<T>) {
  const schema = z.unknown().transform((given, context): T => {
    const parsed = given == null ? refuse<T>("field_missing") : parse(given);
    if ("value" in parsed) return parsed.value;
    context.addIssue({ code: "custom", params: { ...parsed.problem } });
    return z.NEVER;
  });
  return schema.meta(shown);
}

/** Throws the first mistake, naming the field as `nameOf` spells it. */
export function parseFields<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new ProxyError("bad_request");
  throw problemOf(issue);
}

function problemOf(issue: z.core.$ZodIssue): ProxyError {
  const name = pathText(issue.path);
  if (issue.code === "custom") {
    const { code, params } = issue.params as FieldProblem; // put there by field()
    return fieldError(code, name, params);
  }
  if (issue.code === "unrecognized_keys") {
    return fieldError("field_unknown", pathText([...issue.path, issue.keys[0] ?? ""]));
  }
  if (issue.code === "too_big") {
    return fieldError("field_too_many", name, { max: Number(issue.maximum) });
  }
  return name === "" ? new ProxyError("body_not_object") : fieldError("field_type", name);
}

function fieldError(code: ErrorCode, name: string, params: ErrorParams = {}): ProxyError {
  const field = name.slice(0, MAX_NAME_CHARACTERS);
  const expected = code === "field_type" ? { expected: "object" } : {};
  return new ProxyError(code, { params: { ...expected, ...params, field }, details: { field } });
}

/** A field that nobody knows may have any name. */
const MAX_NAME_CHARACTERS = 100;

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}

function refuse<T>(code: ErrorCode, params: ErrorParams = {}): Parsed<T> {
  return { problem: { code, params } };
}

/** One line without control characters: it is shown in terminals. */
export function plainText(most: number) {
  return field(textOf(most), (given) => checkedText(given, most));
}

function checkedText(given: unknown, most: number): Parsed<string> {
  if (typeof given !== "string") return refuse("field_type", { expected: "string" });
  const text = given.trim();
  if (text === "") return refuse("field_empty");
  if (text.length > most) return refuse("field_too_long", { max: most });
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
    return refuse("field_type", { expected: "plain_text" });
  }
  return { value: text };
}

function textOf(most: number): Shown {
  return { type: "string", minLength: 1, maxLength: most };
}

/** What goes into a header: printable ASCII. */
export function headerText(most: number) {
  return field(textOf(most), (given): Parsed<string> => {
    const checked = checkedText(given, most);
    if ("problem" in checked || /^[\x21-\x7e]+$/.test(checked.value)) return checked;
    return refuse("field_type", { expected: "plain_text" });
  });
}

/** A whole number from 1 on. */
export function count(max: number) {
  const shown = { type: ["integer", "string"], minimum: 1, maximum: max, pattern: "^\\d{1,15}$" };
  return field(shown, (given): Parsed<number> => {
    const number = typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : given;
    if (!Number.isInteger(number)) return refuse("field_type", { expected: "whole_number" });
    const whole = Number(number);
    return whole >= 1 && whole <= max ? { value: whole } : refuse("field_range", { min: 1, max });
  });
}

/** US dollars, more than nothing. */
export function money() {
  const shown = { type: ["string", "number"], description: "US dollars, more than nothing" };
  return field(shown, (given): Parsed<Picodollars> => {
    const amount = parseMoney(decimalText(given));
    return amount === null || amount === 0n
      ? refuse("field_type", { expected: "money" })
      : { value: amount };
  });
}

/** US dollars per million tokens, in the shortest spelling. */
export function price() {
  const shown = { type: ["string", "number"], description: "US dollars per million tokens" };
  return field(shown, (given): Parsed<string> => {
    const amount = parsePrice(decimalText(given));
    return amount === null
      ? refuse("field_type", { expected: "price" })
      : { value: formatPrice(amount) };
  });
}

function decimalText(given: unknown): string {
  return typeof given === "number" ? String(given) : String(given).trim();
}

/** A list, or text separated by commas. */
export function names(maxNames: number, maxCharacters: number) {
  const shown = {
    type: ["array", "string"],
    items: textOf(maxCharacters),
    minItems: 1,
    maxItems: maxNames,
    description: "A list, or text separated by commas",
  };
  return field(shown, (given): Parsed<readonly string[]> => {
    const list: unknown = typeof given === "string" ? given.split(",") : given;
    if (!Array.isArray(list) || list.length === 0) {
      return refuse("field_type", { expected: "names" });
    }
    if (list.length > maxNames) return refuse("field_too_many", { max: maxNames });
    const checked: string[] = [];
    for (const one of list) {
      const name = checkedText(one, maxCharacters);
      if ("problem" in name) return name;
      checked.push(name.value);
    }
    return { value: [...new Set(checked)] };
  });
}

const HOURS = { h: 1, d: 24, w: 168 } as const;
const HOUR_MS = 3_600_000;

/** A date, a time with its zone, or a span of hours, days or weeks from now. Milliseconds since 1970. */
export function moment(nowMs: number, spanGoes: "forward" | "back") {
  return field(shownMoment(spanGoes), (given): Parsed<number> => {
    const at = momentOf(given, nowMs, spanGoes);
    return at === null ? refuse("field_type", { expected: "moment" }) : { value: at };
  });
}

function shownMoment(spanGoes: "forward" | "back"): Shown {
  const span = spanGoes === "forward" ? "from now" : "back from now";
  const description = `A date, a time with its zone, or a span ${span}: 12h, 7d, 2w`;
  return { type: "string", description };
}

export function futureMoment(nowMs: number) {
  return field(shownMoment("forward"), (given): Parsed<number> => {
    const at = momentOf(given, nowMs, "forward");
    return at === null || at <= nowMs
      ? refuse("field_type", { expected: "future_moment" })
      : { value: at };
  });
}

function momentOf(given: unknown, nowMs: number, spanGoes: "forward" | "back"): number | null {
  if (typeof given !== "string") return null;
  const text = given.trim();
  const span = /^(\d{1,4})([hdw])$/.exec(text);
  if (span !== null) {
    const hours = HOURS[span[2] as keyof typeof HOURS]; // one of the three, says the pattern
    const ms = Number(span[1]) * hours * HOUR_MS;
    return spanGoes === "forward" ? nowMs + ms : Math.max(0, nowMs - ms);
  }
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text))
    return null;
  const at = Date.parse(text);
  // 2026-02-30 would be read as the second of March.
  const day = new Date(Date.parse(`${text.slice(0, 10)}T00:00:00Z`));
  const isReal = !Number.isNaN(at) && at >= 0 && !Number.isNaN(day.getTime());
  return isReal && day.toISOString().startsWith(text.slice(0, 10)) ? at : null;
}

export function choice<const T extends string>(choices: readonly T[]) {
  return field({ type: "string", enum: choices }, (given): Parsed<T> => {
    const found = choices.find((one) => one === given);
    return found === undefined
      ? refuse("field_choice", { choices: choices.join(", ") })
      : { value: found };
  });
}

export function flag() {
  const shown = { type: ["boolean", "string"], enum: [true, false, "true", "false"] };
  return field(shown, (given): Parsed<boolean> => {
    if (given === true || given === "true") return { value: true };
    if (given === false || given === "false") return { value: false };
    return refuse("field_type", { expected: "boolean" });
  });
}
