import { isObject } from "./reading/json.ts";

/** A wait beyond a day is ignored. */
const MAX_WAIT_MS = 86_400_000;
/** Larger numbers are a time since 1970: in seconds, and from the second bound on in milliseconds. */
const FIRST_EPOCH_SECONDS = 1_000_000_000;
const FIRST_EPOCH_MS = 100_000_000_000;

/** As Go prints a duration: `1h2m3.5s`, `12ms`. */
const GO_DURATION =
  /^(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?$/;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1];
/** Of HTTP and of ISO 8601; Date.parse alone also takes "-5" for a date. */
const DATE = /^[a-z]{3}[a-z]*,? |^\d{4}-\d\d-\d\dT/i;
/** In a text for people: "try again in 6m0s", "retry after 20 seconds". */
const IN_WORDS =
  /\b(?:try again|retry|wait)(?: again)?(?: in| after| for)? (\d[\d.hms]{0,20}) ?(milliseconds?|seconds?|secs?|minutes?|hours?)?/i;
const WORD_MS: Readonly<Record<string, number>> = {
  mil: 1,
  sec: 1_000,
  min: 60_000,
  hou: 3_600_000,
};

/** Headers that say when a limit is over; the first part tells requests from tokens. */
const RESETS: readonly (readonly [reset: string, remaining: string])[] = [
  ["x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"],
  ["x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"],
  ["anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining"],
  ["anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining"],
  ["x-ratelimit-reset", "x-ratelimit-remaining"],
  ["ratelimit-reset", "ratelimit-remaining"],
];

export interface Waits {
  readonly header: (name: string) => string | null;
  readonly words: string | null;
  readonly body: unknown;
  /** Whether a limit was reached; services tell of their limits in other refusals, too. */
  readonly isLimit: boolean;
  /** Our own clock, for a date from a server that does not tell its own. */
  readonly nowMs: number;
}

/** How long the upstream asks to wait, in whatever form it says so. Undefined if missing or absurd. */
export function waitMs({ header, words, body, isLimit, nowMs }: Waits): number | undefined {
  const theirNowMs = Date.parse(header("date") ?? "");
  const now = Number.isFinite(theirNowMs) ? theirNowMs : nowMs;
  const read = (text: string | null) => bounded(msIn(text ?? "", now));
  const exact = bounded(numberIn(header("retry-after-ms") ?? ""));
  const told = exact ?? read(header("retry-after"));
  if (told !== undefined || !isLimit) return told;
  return resetMs(header, read) ?? read(fieldIn(body)) ?? bounded(inWords(words));
}

/** `retry_after` in seconds, or Google's `retryDelay` among the details. */
function fieldIn(body: unknown): string | null {
  const outer: unknown = Array.isArray(body) ? body[0] : body;
  const error: unknown = isObject(outer) ? Reflect.get(outer, "error") : null;
  const details: unknown = isObject(error) ? Reflect.get(error, "details") : null;
  const objects = [outer, error, ...(Array.isArray(details) ? details : [])].filter(isObject);
  for (const one of objects) {
    const wait: unknown = Reflect.get(one, "retry_after") ?? Reflect.get(one, "retryDelay");
    if (typeof wait === "string" || typeof wait === "number") return String(wait);
  }
  return null;
}

/** The limit that is used up tells; if none says that it is, the longest wait is the safe one. */
function resetMs(
  header: Waits["header"],
  read: (text: string | null) => number | undefined,
): number | undefined {
  const all = RESETS.map(([reset, remaining]) => ({
    ms: read(header(reset)),
    left: header(remaining)?.trim(),
  }));
  const usedUp = all.filter(({ ms, left }) => ms !== undefined && left === "0");
  const unknown = all.filter(({ ms, left }) => ms !== undefined && left === undefined);
  const waits = (usedUp.length > 0 ? usedUp : unknown).map(({ ms }) => ms ?? 0);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

function msIn(given: string, nowMs: number): number | undefined {
  const text = given.trim();
  const number = numberIn(text);
  if (number !== undefined) {
    if (number < FIRST_EPOCH_SECONDS) return number * 1_000;
    return (number < FIRST_EPOCH_MS ? number * 1_000 : number) - nowMs;
  }
  return DATE.test(text) ? Date.parse(text) - nowMs : goDurationMs(text);
}

function numberIn(text: string): number | undefined {
  return /^\s*\d{1,16}(?:\.\d{1,16})?\s*$/.test(text) ? Number(text) : undefined;
}

function goDurationMs(text: string): number | undefined {
  const match = GO_DURATION.exec(text);
  if (match === null) return undefined;
  return match.slice(1).reduce((sum, part, unit) => {
    return sum + Number(part ?? 0) * (UNITS_MS[unit] ?? 0);
  }, 0);
}

function inWords(words: string | null): number | undefined {
  const [, amount = "", unit] = IN_WORDS.exec(words ?? "") ?? [];
  if (unit === undefined) return goDurationMs(amount.replace(/\.$/, ""));
  return Number(amount) * (WORD_MS[unit.slice(0, 3).toLowerCase()] ?? Number.NaN);
}

function bounded(ms: number | undefined): number | undefined {
  return ms !== undefined && ms >= 0 && ms <= MAX_WAIT_MS ? ms : undefined;
}
