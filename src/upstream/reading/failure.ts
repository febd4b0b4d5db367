import { refusesUsage } from "../usage-option.ts";
import { fieldOf, isObject, stringIn } from "./json.ts";

/** An error that an answer, or an event, is: what it says, and its text. */
export interface Failure {
  readonly error: object | string;
  readonly text: string;
}

/**
 * The error that an answer, or an event, is or holds; null if it is none. `isSilent` if the model says
 * nothing in it: what it has said is an answer, whatever else is told about it.
 */
export function failureIn(value: object, isSilent: boolean, textOf: () => string): Failure | null {
  const error = ownError(value);
  if (error !== null) return { error, text: textOf() };
  const inner = innerError(value, isSilent);
  return inner === null ? null : { error: inner, text: JSON.stringify({ error: inner }) };
}

function ownError(value: object): object | string | null {
  if (stringIn(value, "object") === "error") return value;
  const holder: unknown = Array.isArray(value) ? value[0] : value;
  const error = fieldOf(holder, "error");
  // a response that failed tells so by its status, which its clients know
  if (stringIn(value, "object") !== "response" && isError(error)) return error;
  // MiniMax answers with no choices and a status of its own, which is 0 if all is well
  const status = fieldOf(value, "base_resp");
  if (fieldOf(status, "status_code") && isObject(status)) return status;
  return stringIn(value, "type") === "error" ? value : null;
}

/** Fields of an answer of any endpoint. */
const ANSWERS = ["choices", "output", "data", "results", "models", "object", "usage"];
/** Fields with which services tell people what went wrong; some have lists there. */
const WORDS = ["message", "msg", "error_message", "errorMessage", "error_msg", "errmsg", "Message"];
const WORDS_OR_LISTS = ["detail", "errors", "Error"];

export function isAnswer(body: object): boolean {
  return ANSWERS.some((name) => name in body);
}

/** Whether a whole body, read in full, is words instead of an answer: an error that does not say so. */
export function saysOnlyAnError(body: object): boolean {
  if (Array.isArray(body) || isAnswer(body)) return false;
  return (
    WORDS.some((name) => Boolean(stringIn(body, name))) ||
    WORDS_OR_LISTS.some((name) => Boolean(fieldOf(body, name)))
  );
}

/** OpenRouter has it in a choice, Groq beside the usage of a stream that it stops. */
function innerError(value: object, isSilent: boolean): object | string | null {
  const choices = fieldOf(value, "choices");
  for (const choice of Array.isArray(choices) ? choices : []) {
    const error = fieldOf(choice, "error");
    const isOver = isSilent || stringIn(choice, "finish_reason") === "error";
    if (isOver && isError(error)) return error;
  }
  const stopped = fieldOf(fieldOf(value, "x_groq"), "error");
  return isError(stopped) ? stopped : null;
}

function isError(error: unknown): error is object | string {
  return isObject(error) || (typeof error === "string" && error !== "");
}

/** By what an error calls itself, as its code, its type or its status. */
const STATUSES: readonly (readonly [RegExp, number])[] = [
  [/rate.?limit|insufficient_quota|resource_exhausted|too_many|throttl/, 429],
  [/billing|payment|credits/, 402],
  [/api.?key|authenti|unauthorized/, 401],
  [/permission|forbidden|country|moderation/, 403],
  [/not_found|notfound/, 404],
  [/overloaded|unavailable/, 503],
  [/timeout|deadline/, 504],
  [/too_large/, 413],
  [/^server_error|internal/, 500],
  [/invalid_request|invalid_argument|bad_?request|context_length|content_(filter|policy)/, 400],
];

/** The status that an error would have had as a response of its own. */
export function statusOfFailure(error: object | string): number {
  const named = ["code", "status", "status_code", "type"].map((name) => fieldOf(error, name));
  return statusNamed(named) ?? statusMeant(named) ?? statusSaid(error);
}

function statusNamed(named: readonly unknown[]): number | undefined {
  const numbers = named.map((value) =>
    typeof value === "string" && value.trim() !== "" ? Number(value) : value,
  );
  return numbers.find(isErrorStatus);
}

function statusMeant(named: readonly unknown[]): number | undefined {
  for (const value of named) {
    const name = typeof value === "string" ? value.toLowerCase() : "";
    const found = STATUSES.find(([pattern]) => pattern.test(name));
    if (found !== undefined) return found[1];
  }
  return undefined;
}

function statusSaid(error: object | string): number {
  const words = typeof error === "string" ? error : stringIn(error, "message");
  return words !== null && refusesUsage(words) ? 400 : 502;
}

function isErrorStatus(status: unknown): status is number {
  return typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599;
}
