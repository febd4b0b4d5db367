/** Undefined if the text is not JSON. A byte order mark is no part of it. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

const BYTE_ORDER_MARK = 0xfeff;

/** Names are written in many ways, which differ in what is no letter and in capitals. */
export function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, "");
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Undefined where `value` is no object. */
export function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

export function stringIn(value: unknown, name: string): string | null {
  const field = fieldOf(value, name);
  return typeof field === "string" ? field : null;
}
