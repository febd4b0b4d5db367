import type { Budget } from "../core/ports.ts";
import { type Cells, floatAt } from "./cells.ts";
import { createLock } from "./lock.ts";

export function createBudget(most: number, cells: Cells, name: string): Budget {
  const lock = createLock(cells, `${name}.lock`);
  const taken = cells.floats(`${name}.taken`, 1);
  return {
    take(amount) {
      lock.enter();
      const now = floatAt(taken, 0);
      const fits = now + amount <= most;
      if (fits) taken[0] = now + amount;
      lock.leave();
      return fits;
    },
    give(amount) {
      lock.enter();
      taken[0] = floatAt(taken, 0) - amount;
      lock.leave();
    },
  };
}
