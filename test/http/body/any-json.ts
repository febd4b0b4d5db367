import fc from "fast-check";

/** How deep a value nests: 0 for a text or a number, 1 for a list of them. */
export function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Brackets and quotes where they do no harm, and everything JSON escapes. */
export const text = fc.string({
  unit: fc.constantFrom("[", "]", "{", "}", '"', "\\", "a", "😀", "\n", ",", ":"),
});
export const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    text,
    fc.integer(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4 }),
  ),
})).value;
