import type { Budget } from "../core/ports.ts";

export function createBudget(most: number): Budget {
  let taken = 0;
  return {
    take(amount) {
      const fits = taken + amount <= most;
      if (fits) taken += amount;
      return fits;
    },
    give(amount) {
      taken -= amount;
    },
  };
}
