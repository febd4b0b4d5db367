import { MAX_BINS } from "./first-tokens.ts";

/** What refused a call: a window of the address or the token, or another limit. */
export const refusals = [
  "second",
  "minute",
  "hour",
  "day",
  "streams",
  "tokens",
  "quota",
  "other",
] as const;
export type RefusedBy = (typeof refusals)[number];

/** Places in the counts of an hour; their names are those in the database. */
const plainNames = ["answered", "failed", "admitted"] as const;
const FIRST_REFUSAL = plainNames.length;
const FIRST_BIN = FIRST_REFUSAL + refusals.length;

export const counterNames: readonly string[] = [
  ...plainNames,
  ...refusals.map((name) => `refused ${name}`),
  ...Array.from({ length: MAX_BINS }, (_, bin) => `first token ${bin}`),
];

export function counterOf(name: (typeof plainNames)[number]): number {
  return plainNames.indexOf(name);
}

export function refusalCounter(refusal: RefusedBy): number {
  return FIRST_REFUSAL + refusals.indexOf(refusal);
}

export function binCounter(bin: number): number {
  return FIRST_BIN + bin;
}

/** Counts of one hour, in the order of `counterNames`. */
export interface HourOfCounts {
  /** Hours since 1970. */
  readonly hour: number;
  readonly counts: ArrayLike<number>;
}

export interface CallCounts {
  /** Hours that have any, in no order; an hour may come twice. */
  between(fromHour: number, toHour: number): Promise<readonly HourOfCounts[]>;
}

/** Counts of all instances. */
export interface CallCountStore extends CallCounts {
  add(hours: readonly HourOfCounts[]): Promise<void>;
}

/** All of them together. */
export function sumOfCounts(hours: readonly HourOfCounts[]): Float64Array {
  const sums = new Float64Array(counterNames.length);
  for (const { counts } of hours) {
    for (let at = 0; at < sums.length; at += 1) sums[at] = (sums[at] ?? 0) + (counts[at] ?? 0);
  }
  return sums;
}

export function shownCounts(sums: ArrayLike<number>) {
  const count = (at: number) => Math.max(0, sums[at] ?? 0);
  const refused = refusals.map((name) => [name, count(refusalCounter(name))] as const);
  return {
    answered: count(counterOf("answered")),
    failed: count(counterOf("failed")),
    admitted: count(counterOf("admitted")),
    refused: Object.fromEntries(refused) as Record<RefusedBy, number>, // of all refusals
    bins: Array.from(sums).slice(FIRST_BIN),
  };
}
