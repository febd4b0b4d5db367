/** The same numbers at every start. */
export interface Chance {
  /** From 0 up to 1. */
  next(): number;
  /** True for this part of all. */
  isIn(part: number): boolean;
  between(least: number, most: number): number;
  /** One by its weight. */
  pick<T extends { readonly weight: number }>(from: readonly T[]): T;
  /** Spread around the median as amounts in life are: most a little less, few far more. */
  around(median: number, spread: number): number;
  hex(digits: number): string;
}

/** The multiplier and increment of a generator of 32 bits (Numerical Recipes). */
const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;
const STATES = 2 ** 32;

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, MULTIPLIER) + INCREMENT) >>> 0;
    return state / STATES;
  };
  return {
    next,
    isIn: (part) => next() < part,
    between: (least, most) => least + next() * (most - least),
    pick(from) {
      let left = next() * from.reduce((sum, { weight }) => sum + weight, 0);
      const chosen = from.find(({ weight }) => {
        left -= weight;
        return left < 0;
      });
      const last = chosen ?? from.at(-1);
      if (last === undefined) throw new Error("there is nothing to choose from");
      return last;
    },
    around: (median, spread) => {
      // twelve of them are nearly normal, with a variance of 1
      let normal = -6;
      for (let at = 0; at < 12; at += 1) normal += next();
      return median * Math.exp(spread * normal);
    },
    hex: (digits) =>
      Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(""),
  };
}
