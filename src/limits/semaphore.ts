import type { Semaphore } from "../core/ports.ts";

export function createSemaphore(most: number): Semaphore {
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
