import type { z } from "zod";
import { fieldError } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";

/** The first thing wrong with a body, in our codes, so that it can be said in any language. */
export function firstProblem(error: z.ZodError, json: unknown): ProxyError {
  const [issue] = error.issues;
  if (issue === undefined) return new ProxyError("bad_request");
  return problemAt(issue, [], json);
}

/** The kinds of value a text exists for (`type.<name>` in the locales), by zod's names. */
const EXPECTED: Readonly<Record<string, string>> = {
  string: "string",
  int: "whole_number",
  number: "whole_number",
  boolean: "boolean",
  array: "array",
  object: "object",
};

/** `above`: where the union stands that the issue was found in; its own path begins there. */
function problemAt(
  issue: z.core.$ZodIssue,
  above: readonly PropertyKey[],
  json: unknown,
): ProxyError {
  const path = [...above, ...issue.path];
  const field = pathText(path);
  const value = valueAt(json, path);
  if (value === undefined || value === null) return fieldError("field_missing", field);
  switch (issue.code) {
    case "invalid_type":
      return wrongType(field, EXPECTED[issue.expected] ?? "object");
    case "invalid_value":
      return wrongChoice(field, issue.values);
    case "invalid_union":
      return ofUnion(issue, path, json);
    case "too_small":
      return issue.origin === "string" || issue.origin === "array"
        ? fieldError("field_empty", field)
        : wrongType(field, "whole_number");
    case "too_big":
      return tooBig(issue, field);
    case "custom":
      // a check of ours, which says what it wants
      return wrongType(field, String(issue.params?.expected ?? "object"));
    default:
      return new ProxyError("bad_request", { details: { field } });
  }
}

/** Of several forms, what is wrong within the one that the value has, or else that it has none. */
function ofUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: readonly PropertyKey[],
  json: unknown,
): ProxyError {
  if ("options" in issue) return wrongChoice(pathText(path), issue.options ?? []);
  const inner = issue.errors.find((issues) => issues.every((one) => one.path.length > 0))?.[0];
  return inner === undefined ? wrongType(pathText(path), "content") : problemAt(inner, path, json);
}

function wrongType(field: string, expected: string): ProxyError {
  return fieldError("field_type", field, { expected });
}

function wrongChoice(field: string, choices: readonly unknown[]): ProxyError {
  return fieldError("field_choice", field, { choices: choices.map(String).join(", ") });
}

function tooBig({ origin, maximum }: z.core.$ZodIssueTooBig, field: string): ProxyError {
  const max = Number(maximum);
  if (origin === "string") return fieldError("field_too_long", field, { max });
  return origin === "array"
    ? fieldError("field_too_many", field, { max })
    : wrongType(field, "whole_number");
}

/** `continuous[3].role` */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== "object" || value === null) return undefined;
    return Reflect.get(value, step);
  }, json);
}
