/** As the server asks. */
export const MIN_CHARACTERS = 16;
const FAIR_BITS = 70;
const STRONG_BITS = 100;
const GENERATED_BYTES = 32;
const sets = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/] as const;
/** Characters in each of them. */
const sizes = [26, 26, 10, 30] as const;

export type Strength = "short" | "weak" | "fair" | "strong";

/** How hard a token is to guess, judged by its length and by how many different characters it has. */
export function strengthOf(token: string): Strength {
  if (token.length < MIN_CHARACTERS) return "short";
  const alphabet = sets.reduce((sum, set, at) => sum + (set.test(token) ? (sizes[at] ?? 0) : 0), 0);
  const different = new Set(token).size;
  const bits = Math.min(token.length, 2 * different) * Math.log2(Math.max(2, alphabet));
  if (bits < FAIR_BITS) return "weak";
  return bits < STRONG_BITS ? "fair" : "strong";
}

/** 32 random bytes in letters, digits, - and _. */
export function generateToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(GENERATED_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
