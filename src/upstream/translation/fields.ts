import { fieldError } from "../../core/common-errors.ts";
import type { ProxyError } from "../../core/errors.ts";
import { isObject } from "../reading/json.ts";

/** A JSON object, read field by field. */
export type JsonFields = Readonly<Record<string, unknown>>;

const NONE: JsonFields = {};

export function fieldsOf(value: unknown): JsonFields {
  return isObject(value) ? (value as JsonFields) : NONE; // of any object
}

export function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What a tool is called with is JSON as a text; some services write it as it is. */
export function jsonText(value: unknown): string {
  return isObject(value) ? JSON.stringify(value) : stringOf(value);
}

/** Neither missing nor null. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Without the fields that are undefined. */
export function defined(fields: JsonFields): JsonFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What can't be carried over, and would change the question if it were left out. */
export function unsupported(field: string): ProxyError {
  return fieldError("field_unsupported", field);
}
