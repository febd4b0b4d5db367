import type { CompiledQuery } from "kysely";
import type { Driver } from "./driver.ts";
import { type StorageCause, type StorageProblem, storageProblem } from "./storage-errors.ts";

/** Other writes may still be good: some rows find room on a full disk, others are of another table. */
const PARTIAL: readonly StorageCause[] = ["full", "denied", "altered"];

/** Whether the database takes writes, by the last one. */
export interface DatabaseHealth {
  /** Why the last write failed. Null: it was good, or failed by its own mistake. */
  problem(): StorageProblem | null;
  /** After a heartbeat, which needs new space if the disk was full: other writes don't show enough. */
  proven(): void;
}

/**
 * Watches the writes, since a database can answer reads and take no writes. Reads pass through: what
 * they need is shown by a ping. `onChange` is called when the cause changes, with null for none.
 */
export function watchWrites(
  driver: Driver,
  onChange: (problem: StorageProblem | null) => void,
): DatabaseHealth & { readonly driver: Driver } {
  let current: StorageProblem | null = null;
  const change = (problem: StorageProblem | null) => {
    const changed = problem?.cause !== current?.cause;
    current = problem;
    if (changed) onChange(problem);
  };
  let begun = 0;
  let newestGood = 0;
  const succeeded = (number: number) => {
    newestGood = Math.max(newestGood, number);
    if (current !== null && !PARTIAL.includes(current.cause)) change(null);
  };
  const failed = (number: number, problem: StorageProblem) => {
    // One that began later was good: this one tells of what is over.
    const isOver = !PARTIAL.includes(problem.cause) && newestGood > number;
    if (!isOver) change(problem);
  };
  const noted = async <T>(work: Promise<T>, isWrite = () => true): Promise<T> => {
    const number = ++begun;
    try {
      const result = await work;
      if (isWrite()) succeeded(number);
      return result;
    } catch (error) {
      const problem = isWrite() ? storageProblem(error) : null;
      if (problem !== null) failed(number, problem);
      throw error;
    }
  };
  return {
    problem: () => current,
    proven: () => change(null),
    driver: {
      ...driver,
      all: (query) => (isRead(query) ? driver.all(query) : noted(driver.all(query))),
      report: (query) => (isRead(query) ? driver.report(query) : noted(driver.report(query))),
      transaction: (work) => noted(driver.transaction(work)),
      run: (work) => {
        let writes = false;
        const watched = function* () {
          const running = work();
          let step = running.next([]);
          while (step.done !== true) {
            writes ||= !isRead(step.value);
            step = running.next(yield step.value);
          }
          return step.value;
        };
        return noted(driver.run(watched), () => writes);
      },
    },
  };
}

function isRead({ query }: CompiledQuery): boolean {
  return query.kind === "SelectQueryNode";
}
