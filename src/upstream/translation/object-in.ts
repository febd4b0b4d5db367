import { withExactNumbers } from "../../core/exact-numbers.ts";
import { isObject, jsonIn } from "../reading/json.ts";

/** The object or list that the text is, its numbers as they were written. Null if it is none. */
export function exactlyIn(text: string): object | null {
  const value = jsonIn(text);
  return isObject(value) ? withExactNumbers(value, text) : null;
}

/** The object that a tool is called with; an empty text is an empty one. Null if it is none. */
export function objectIn(text: string): object | null {
  if (text.trim() === "") return {};
  const value = exactlyIn(text);
  return Array.isArray(value) ? null : value;
}
