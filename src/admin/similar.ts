import { closestMatch } from "leven";

/** Two letters that changed places count twice. */
const MAX_DISTANCE = 3;
const LETTERS_PER_MISTAKE = 2;

/** The one that was probably meant, if a word with few mistakes is near. */
export function nearestWord(word: string, known: readonly string[]): string | null {
  const maxDistance = Math.min(MAX_DISTANCE, Math.floor(word.length / LETTERS_PER_MISTAKE));
  return closestMatch(word, known, { maxDistance }) ?? null;
}
