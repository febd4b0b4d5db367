/** As a model counts, roughly: one or two Chinese characters, or up to six letters of a word. */
const PIECE =
  / ?\p{Script=Han}{1,2}| ?(?:(?!\p{Script=Han})[\p{L}\p{N}_]){1,6}| ?[^\p{L}\p{N}_\s]{1,3}|\s+|./gsu;

/** What a model would send piece by piece; joined again, it is the text. */
export function tokensOf(text: string): readonly string[] {
  return text.match(PIECE) ?? [];
}
