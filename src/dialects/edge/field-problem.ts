import type { z } from "zod";
import { ProxyError } from "../../core/errors.ts";

/** The first thing wrong with a body, in our codes, so that it can be said in any language. */
export function firstProblem(error: z.ZodError, json: unknown): ProxyError {
  const [issue] = error.issues;
  if (issue === undefined) return new ProxyError("bad_request");
  const field = pathText(issue.path);
  return problemOf(issue, field, valueAt(json, issue.path));
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

function problemOf(issue: z.core.$ZodIssue, field: string, value: unknown): ProxyError {
  const facts = { field };
  const missing = () => new ProxyError("field_missing", { params: { field }, facts });
  switch (issue.code) {
    case "invalid_type": {
      if (value === undefined || value === null) return missing();
      const expected = EXPECTED[issue.expected] ?? "object";
      return new ProxyError("field_type", { params: { field, expected }, facts });
    }
    case "invalid_value": {
      if (value === undefined || value === null) return missing();
      const choices = issue.values.map(String).join(", ");
      return new ProxyError("field_choice", { params: { field, choices }, facts });
    }
    case "too_small":
      if (issue.origin === "string")
        return new ProxyError("field_empty", { params: { field }, facts });
      return new ProxyError("field_type", { params: { field, expected: "whole_number" }, facts });
    case "too_big":
      return tooBig(issue, field);
    default:
      return new ProxyError("bad_request", { facts });
  }
}

function tooBig({ origin, maximum }: z.core.$ZodIssueTooBig, field: string): ProxyError {
  const about = { params: { field, max: Number(maximum) }, facts: { field } };
  if (origin === "string") return new ProxyError("field_too_long", about);
  if (origin === "array") return new ProxyError("field_too_many", about);
  const params = { field, expected: "whole_number" };
  return new ProxyError("field_type", { params, facts: { field } });
}

/** `continuous[3].role`; keys come from the schema, never from the client. */
function pathText(path: readonly PropertyKey[]): string {
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
