import { isObject, jsonIn } from "../reading/json.ts";

/** The object that a tool is called with; an empty text is an empty one. Null if it is none. */
export function objectIn(text: string): object | null {
  if (text.trim() === "") return {};
  const value = jsonIn(text);
  return isObject(value) && !Array.isArray(value) ? value : null;
}
