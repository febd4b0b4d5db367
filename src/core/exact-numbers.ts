/** `JSON.rawJSON` and the third argument of a reviver (ES2026): missing in TypeScript's types. */
interface ExactJson {
  parse(text: string, revive: (name: string, value: unknown, at: Source) => unknown): unknown;
  rawJSON(text: string): object;
}
interface Source {
  /** The text of a primitive value. */
  readonly source?: string;
}

/**
 * The parsed value, with every number too large for JavaScript as the client wrote it. Large ids would
 * otherwise reach the upstream changed. Parses again only if there are such numbers.
 */
export function withExactNumbers(value: object, text: Buffer | string): object {
  if (!holdsInexact(value)) return value;
  const exact = JSON as unknown as ExactJson;
  const revive = (_name: string, one: unknown, { source }: Source) =>
    isInexact(one) && source !== undefined ? exact.rawJSON(source) : one;
  return exact.parse(text.toString().replace(/^\ufeff/, ""), revive) as object;
}

/** Recursion is safe: the depth of bodies is bounded when they are read. */
function holdsInexact(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return isInexact(value);
  return Object.values(value).some(holdsInexact);
}

function isInexact(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}
