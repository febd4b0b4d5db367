import type { IncomingHttpHeaders } from "node:http";
import { durationIn, waitInWords } from "./durations.ts";
import { fieldOf, isObject } from "./reading/json.ts";

/** A wait beyond a day is ignored. */
const MAX_WAIT_MS = 86_400_000;
/** Larger numbers are a time since 1970: in seconds, and from the second bound on in milliseconds. */
const FIRST_EPOCH_SECONDS = 1_000_000_000;
const FIRST_EPOCH_MS = 100_000_000_000;

/** Of HTTP and of ISO 8601; Date.parse alone also takes "-5" for a date. */
const DATE = /^[a-z]{3}[a-z]*,? |^\d{4}-\d\d-\d\dT/i;

/** Headers that say when a limit is over. What is left of it stands under `remaining` in place of `reset`. */
const RESET = /^(?=.*ratelimit).*(?:reset|timeremaining)/;
/** The same in one header: `limit=10, remaining=0, reset=30`, or `"default";r=0;t=30`. */
const ALL_IN_ONE = "ratelimit";
const LEFT = /\b(?:r|remaining)=(\d+)/;
const OVER = /\b(?:t|reset)=(\d+)/;

/** Names under which a body has its wait, and what is added to make it a duration. */
const FIELDS: readonly (readonly [name: string, unit: string])[] = [
  ["retry_after_ms", "ms"],
  ["retryAfterMs", "ms"],
  ["retry_after", ""],
  ["retryAfter", ""],
  ["retry_after_seconds", ""],
  ["retryAfterSeconds", ""],
  ["retryDelay", ""],
];

export interface Waits {
  readonly headers: IncomingHttpHeaders;
  readonly words: string | null;
  readonly body: unknown;
  /** Whether a limit was reached; services tell of their limits in other refusals, too. */
  readonly isLimit: boolean;
  /** Our own clock, for a date from a server that does not tell its own. */
  readonly nowMs: number;
}

type Read = (text: string | null) => number | undefined;

/** How long the upstream asks to wait, in whatever form it says so. Undefined if missing or absurd. */
export function waitMs({ headers, words, body, isLimit, nowMs }: Waits): number | undefined {
  const theirNowMs = Date.parse(textOf(headers.date) ?? "");
  const now = Number.isFinite(theirNowMs) ? theirNowMs : nowMs;
  const read: Read = (text) => bounded(msIn(text ?? "", now));
  const exact = bounded(numberIn(textOf(headers["retry-after-ms"]) ?? ""));
  const told = exact ?? read(textOf(headers["retry-after"]));
  if (told !== undefined || !isLimit) return told;
  const inBody = objectsOf(body);
  return (
    resetMs(headers, read) ??
    read(fieldIn(inBody)) ??
    resetMs(headersIn(inBody), read) ??
    bounded(waitInWords(words ?? ""))
  );
}

/** Where a body may have its wait: at its top, in its error, and in the details of that. */
function objectsOf(body: unknown): readonly object[] {
  const outer: unknown = Array.isArray(body) ? body[0] : body;
  const error = fieldOf(outer, "error");
  const details = fieldOf(error, "details");
  const list: readonly unknown[] = Array.isArray(details) ? details : [];
  return [outer, error, fieldOf(error, "metadata"), ...list].filter(isObject);
}

function fieldIn(objects: readonly object[]): string | null {
  for (const one of objects) {
    for (const [name, unit] of FIELDS) {
      const wait = fieldOf(one, name);
      if (typeof wait === "string" || typeof wait === "number") return `${wait}${unit}`;
    }
  }
  return null;
}

/** Some services pass on the headers of another one in the body of theirs. */
function headersIn(objects: readonly object[]): IncomingHttpHeaders {
  const found = objects.map((one) => fieldOf(one, "headers")).find(isObject) ?? {};
  const entries = Object.entries(found).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return Object.fromEntries(entries);
}

interface Reset {
  readonly ms: number | undefined;
  readonly left: string | undefined;
}

/** The limit that is used up tells; if none says that it is, the longest wait is the safe one. */
function resetMs(headers: IncomingHttpHeaders, read: Read): number | undefined {
  const names = Object.keys(headers).filter((name) => RESET.test(name));
  const all = [
    ...names.map((name) => resetOf(headers, name, read)),
    ...(textOf(headers[ALL_IN_ONE]) ?? "").split(/, ?(?=")/).map((text) => resetInOne(text, read)),
  ];
  const usedUp = all.filter(({ ms, left }) => ms !== undefined && left === "0");
  const unknown = all.filter(({ ms, left }) => ms !== undefined && left === undefined);
  const waits = (usedUp.length > 0 ? usedUp : unknown).map(({ ms }) => ms ?? 0);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

function resetOf(headers: IncomingHttpHeaders, name: string, read: Read): Reset {
  const remaining = name.replace("reset", "remaining");
  const left = remaining === name ? undefined : textOf(headers[remaining])?.trim();
  return { ms: read(textOf(headers[name])), left };
}

function resetInOne(text: string, read: Read): Reset {
  return { ms: read(OVER.exec(text)?.[1] ?? null), left: LEFT.exec(text)?.[1] };
}

function msIn(given: string, nowMs: number): number | undefined {
  const text = given.trim();
  const number = numberIn(text);
  if (number !== undefined) {
    if (number < FIRST_EPOCH_SECONDS) return number * 1_000;
    return (number < FIRST_EPOCH_MS ? number * 1_000 : number) - nowMs;
  }
  return DATE.test(text) ? Date.parse(text) - nowMs : durationIn(text);
}

function numberIn(text: string): number | undefined {
  return /^\s*\d{1,16}(?:\.\d{1,16})?\s*$/.test(text) ? Number(text) : undefined;
}

/** The first value if the server sent several. */
function textOf(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function bounded(ms: number | undefined): number | undefined {
  return ms !== undefined && ms >= 0 && ms <= MAX_WAIT_MS ? ms : undefined;
}
