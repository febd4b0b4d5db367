/** How calls end: nearly all are answered, and one evening has trouble. */
import type { ErrorCode } from "../../../src/core/errors.ts";
import type { Outcome } from "../../../src/core/ports.ts";
import type { Chance } from "./chance.ts";

export interface Ending {
  readonly outcome: Outcome;
  readonly error: ErrorCode | null;
  readonly tries: number;
}

interface Asked {
  readonly hasToken: boolean;
  readonly upstream: string;
}

interface WeightedEnding extends Ending {
  readonly weight: number;
}

const completed: WeightedEnding = { outcome: "completed", error: null, tries: 1, weight: 950 };
const failed = (error: ErrorCode, weight: number): WeightedEnding => ({
  outcome: "failed",
  error,
  tries: 3,
  weight,
});
const refused = (error: ErrorCode, weight: number): WeightedEnding => ({
  outcome: "refused",
  error,
  tries: 0,
  weight,
});

const usual: readonly WeightedEnding[] = [
  completed,
  { outcome: "completed", error: null, tries: 2, weight: 8 },
  { outcome: "canceled", error: "canceled", tries: 1, weight: 14 },
  { outcome: "interrupted", error: "upstream_failed", tries: 1, weight: 4 },
  failed("upstream_timeout", 3),
  failed("upstream_failed", 3),
  failed("upstream_rate_limited", 3),
];

const ofTokens: readonly WeightedEnding[] = [
  ...usual,
  refused("rate_limited", 9),
  refused("tokens_limited", 4),
  refused("model_forbidden", 2),
];

const inTrouble: readonly WeightedEnding[] = [
  { ...completed, weight: 45 },
  { outcome: "completed", error: null, tries: 2, weight: 15 },
  failed("upstream_unreachable", 25),
  failed("upstream_timeout", 15),
];

const DAY_MS = 86_400_000;
/** On Wednesdays, since 1970-01-01 was a Thursday. */
const TROUBLE_DAY = 6;
const TROUBLE_FROM_HOUR = 15;
const TROUBLE_TO_HOUR = 17;

export function endingOf(at: number, { hasToken, upstream }: Asked, chance: Chance): Ending {
  if (isTrouble(at) && upstream === "default") return chance.pick(inTrouble);
  return chance.pick(hasToken ? ofTokens : usual);
}

function isTrouble(at: number): boolean {
  const hour = new Date(at).getUTCHours();
  const isDay = Math.floor(at / DAY_MS) % 7 === TROUBLE_DAY;
  return isDay && hour >= TROUBLE_FROM_HOUR && hour < TROUBLE_TO_HOUR;
}
