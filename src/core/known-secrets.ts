import { unescaped } from "./unescaped.ts";

/** The longest part of a secret that may be shown: a longer one is a run. */
const RUN_CHARACTERS = 8;
/** The kind of a key, which everybody knows. */
const PUBLIC_PREFIX =
  /^(?:sk|pk|rk)-(?:proj-|svcacct-|admin-|ant-(?:[a-z]+\d\d-)?|or-(?:v\d-)?)?|^(?:sess-|parley-|AIza|gsk_|xai-|hf_|r8_|pplx-)/i;
const LETTER_OR_DIGIT = /[a-z0-9]/;

export interface KnownSecrets {
  /** Calls back with where each run of a secret begins and ends, or a short secret as a word. */
  find(text: string, found: Found): void;
  /** Whether a run of a secret is in it; short secrets are not looked for. */
  hasRunIn(text: string): boolean;
}

/**
 * Finds every run of eight characters of a secret beyond its public prefix, in any case, or in Base64.
 * So a key is found that was cut, masked or joined with something. One look-up for each character.
 */
export function createKnownSecrets(secrets: readonly string[]): KnownSecrets {
  const runs = new Set<string>();
  const words = new Set<string>();
  for (const given of secrets) {
    // as the text is
    const secret = unescaped(given).text;
    const own = lowerCase(secret.replace(PUBLIC_PREFIX, ""));
    if (own.length < RUN_CHARACTERS) words.add(lowerCase(secret));
    for (const form of [own, ...base64Forms(secret).map(lowerCase)]) {
      for (let at = 0; at + RUN_CHARACTERS <= form.length; at += 1) {
        runs.add(form.slice(at, at + RUN_CHARACTERS));
      }
    }
  }
  words.delete("");
  const beginnings = new Uint8Array(PAIRS);
  for (const run of runs) beginnings[pairAt(run, 0)] = 1;
  return {
    find(text, found) {
      if (runs.size === 0 && words.size === 0) return;
      const lower = lowerCase(text);
      if (runs.size > 0) findRuns(lower, runs, beginnings, found);
      for (const word of words) findWord(lower, word, found);
    },
    hasRunIn(text) {
      let hasRun = false;
      const found = () => {
        hasRun = true;
      };
      if (runs.size > 0) findRuns(lowerCase(text), runs, beginnings, found);
      return hasRun;
    },
  };
}

/** Secrets that are given at once, or that change: a list is never changed, only replaced. */
export type SecretList = readonly string[] | (() => readonly string[]);

/** The list as it is now, prepared when it is first needed. */
export function createCurrentSecrets(list: SecretList) {
  const now = typeof list === "function" ? list : () => list;
  let current: { readonly secrets: readonly string[]; readonly known: KnownSecrets } | null = null;
  return () => {
    const secrets = now();
    if (current?.secrets !== secrets) current = { secrets, known: createKnownSecrets(secrets) };
    return current;
  };
}

/** Whether a run of this one secret is in a short text, without preparing anything. */
export function sharesRun(text: string, secret: string): boolean {
  const lower = lowerCase(text);
  const own = lowerCase(secret.replace(PUBLIC_PREFIX, ""));
  for (let end = RUN_CHARACTERS; end <= lower.length; end += 1) {
    if (own.includes(lower.slice(end - RUN_CHARACTERS, end))) return true;
  }
  return false;
}

type Found = (start: number, end: number) => void;

function findRuns(
  text: string,
  runs: ReadonlySet<string>,
  beginnings: Uint8Array,
  found: Found,
): void {
  for (let end = RUN_CHARACTERS; end <= text.length; end += 1) {
    const start = end - RUN_CHARACTERS;
    const begins = beginnings[pairAt(text, start)] === 1;
    if (begins && runs.has(text.slice(start, end))) found(start, end);
  }
}

/** Few pairs of characters begin a run: 0.5 µs for the three names of an answer, 1.6 by first characters. */
const PAIRS = 4_096;

function pairAt(text: string, at: number): number {
  return ((text.charCodeAt(at) << 5) ^ text.charCodeAt(at + 1)) & (PAIRS - 1);
}

/** A secret too short for runs may also be a part of a word, which is no secret. */
function findWord(text: string, word: string, found: Found): void {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
    const end = at + word.length;
    const isPart =
      LETTER_OR_DIGIT.test(text[at - 1] ?? "") || LETTER_OR_DIGIT.test(text[end] ?? "");
    if (!isPart) found(at, end);
  }
}

/** ASCII alone, so that the length stays: other alphabets have letters that grow. */
function lowerCase(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

/** The three ways in which three bytes may be cut, without the ends that depend on what is around. */
function base64Forms(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].flatMap((before) => {
    const binary = " ".repeat(before) + String.fromCharCode(...bytes.slice(0, MAX_BASE64_BYTES));
    const standard = btoa(binary)
      .slice(before === 0 ? 0 : before + 1)
      .replace(/.?={1,2}$/, "");
    return [standard, standard.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** Longer secrets are found by their beginning. */
const MAX_BASE64_BYTES = 4_096;
