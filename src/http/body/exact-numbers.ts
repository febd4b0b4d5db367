/** `JSON.rawJSON` and the third argument of a reviver (ES2026), which TypeScript does not know yet. */
interface ExactJson {
  parse(text: string, revive: (name: string, value: unknown, at: Source) => unknown): unknown;
  rawJSON(text: string): object;
}
interface Source {
  /** How a value that holds no others was written. */
  readonly source?: string;
}

/**
 * The parsed value, with every number that JavaScript can't count to as its client wrote it: such
 * ids would reach the upstream as other ids. Read again only where there are any.
 */
export function withExactNumbers(value: object, text: Buffer | string): object {
  if (!holdsInexact(value)) return value;
  const exact = JSON as unknown as ExactJson;
  const revive = (_name: string, one: unknown, { source }: Source) =>
    isInexact(one) && source !== undefined ? exact.rawJSON(source) : one;
  return exact.parse(text.toString().replace(/^\ufeff/, ""), revive) as object;
}

/** Recursion is safe: what is parsed is no deeper than the edge lets through. */
function holdsInexact(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return isInexact(value);
  return Object.values(value).some(holdsInexact);
}

function isInexact(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}
