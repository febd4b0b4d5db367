import type { AnswerTable } from "../dialects/edge/idempotency.ts";
import { type Cells, ownCells } from "../limits/cells.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** Where a worker stands among the others, and what it has in common with them. */
export interface Seat {
  /** 0 is the main thread. It alone has what there is one of: the other ports, the sweeping. */
  readonly number: number;
  readonly workers: number;
  readonly cells: Cells;
  /** The table of answers that all use; `own` is what this worker could offer. */
  answers(own: AnswerTable): AnswerTable;
  /** Writes what all have counted; `own` is this worker's part of it. */
  metrics(own: Metrics): () => Promise<string>;
}

/** One worker, which needs nobody. */
export const ALONE: Seat = {
  number: 0,
  workers: 1,
  cells: ownCells,
  answers: (own) => own,
  metrics: (own) => own.render,
};
