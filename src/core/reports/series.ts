import type { FirstTokenTimes } from "./first-tokens.ts";

export const seriesSteps = ["hour", "day"] as const;
export type SeriesStep = (typeof seriesSteps)[number];
export const stepsMs = { hour: 3_600_000, day: 86_400_000 } as const satisfies Record<
  SeriesStep,
  number
>;

export const dimensions = ["dialect", "model", "upstream", "token"] as const;
export type Dimension = (typeof dimensions)[number];

/** `from` is where a step begins. Milliseconds since 1970. */
export interface SeriesQuery {
  readonly from: number;
  readonly to: number;
  readonly step: SeriesStep;
  readonly tokenId?: string;
}

export interface SeriesSums {
  readonly calls: number;
  /** Interrupted ones among them. */
  readonly failed: number;
  readonly totalTokens: number;
  /** Null when no call has a cost. */
  readonly cost: string | null;
  readonly firstToken: FirstTokenTimes | null;
}

export interface SeriesPoint extends SeriesSums {
  readonly at: number;
  readonly answered: number;
  readonly refused: number;
  readonly canceled: number;
}

export interface SeriesRow extends SeriesSums {
  /** Null: all others together. Empty: none. Without a token, the kind of who pays. */
  readonly key: string | null;
  /** Of a token. */
  readonly name: string | null;
}

export interface Series {
  /** One for each step, also where there was no call. */
  readonly points: readonly SeriesPoint[];
  /** Most calls first. */
  readonly by: Readonly<Record<Dimension, readonly SeriesRow[]>>;
}
