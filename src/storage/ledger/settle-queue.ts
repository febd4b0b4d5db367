import { ProxyError } from "../../core/errors.ts";
import { NOT_A_MEMBER, type SetMember, UnorderedSet } from "../../core/unordered-set.ts";
import { MAX_BATCH } from "../driver/writes.ts";
import { runPeriodically } from "../periodic.ts";

/** How long a finished answer waits for its row: it leaves within 1.5 s. */
const MAX_HOLD_MS = 1_300;
/** Rows that wait for a database that is away; further ones are lost. About 20 MB. */
const MAX_UNWRITTEN = 10_000;
const RETRY_MS = 1_000;

export interface SettleQueueOptions<Row> {
  /** Does nothing if the row is there: an attempt whose answer was lost is repeated. */
  readonly write: (row: Row) => Promise<unknown>;
  /** Whether trying again can't help. */
  readonly isRefusal: (error: unknown) => boolean;
  /** Called with each row that will never be written. */
  readonly onLost: (row: Row, error: unknown) => void;
}

export interface SettleQueue<Row> {
  /** Resolves when the row is durable, or after 1.3 s; then it is tried again until it is. */
  add(row: Row): Promise<void>;
  /** Tries all rows once more and gives up those that can't be written. */
  close(): Promise<void>;
  /** Gives up every row that is not durable yet, at once: the process ends. */
  giveUp(): void;
}

/** A row for the first time. */
interface Adding<Row> extends SetMember {
  readonly row: Row;
}

interface Failed<Row> {
  readonly row: Row;
  readonly error: unknown;
}

/** Keeps rows while the database is away, so that it costs neither an answer nor a row. */
export function createSettleQueue<Row>(options: SettleQueueOptions<Row>): SettleQueue<Row> {
  const { write, isRefusal, onLost } = options;
  const underWay = new UnorderedSet<Adding<Row>>();
  let unwritten: Row[] = [];
  let onIdle = (): void => undefined;

  const keep = (row: Row, error: unknown): void => {
    if (isRefusal(error) || unwritten.length >= MAX_UNWRITTEN) onLost(row, error);
    else unwritten.push(row);
  };
  const retry = async (): Promise<void> => {
    for (let isAway = false; unwritten.length > 0 && !isAway; ) {
      const oldest = unwritten.slice(0, MAX_BATCH);
      const failed = await tryAgain(options, oldest);
      unwritten = [...failed.map(({ row }) => row), ...unwritten.slice(oldest.length)];
      isAway = failed.length > 0;
    }
  };
  const stop = runPeriodically(retry, RETRY_MS, () => undefined);

  return {
    add: (row) =>
      new Promise((resolve) => {
        const adding = { row, index: NOT_A_MEMBER };
        underWay.add(adding);
        const held = setTimeout(resolve, MAX_HOLD_MS);
        const end = () => {
          clearTimeout(held);
          resolve();
          underWay.remove(adding);
          if (underWay.size === 0) onIdle();
        };
        write(row).then(end, (error: unknown) => {
          // Otherwise it was given up meanwhile.
          if (adding.index !== NOT_A_MEMBER) keep(row, error);
          end();
        });
      }),
    async close() {
      await stop();
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        if (underWay.size === 0) resolve();
      });
      const failed = await tryAgain(options, unwritten);
      const isGivenUp = unwritten.length === 0;
      unwritten = [];
      if (!isGivenUp) for (const { row, error } of failed) onLost(row, error);
    },
    giveUp: () => {
      const ending = new ProxyError("draining");
      for (const { row } of underWay) onLost(row, ending);
      for (const row of unwritten) onLost(row, ending);
      for (const adding of underWay) underWay.remove(adding);
      unwritten = [];
    },
  };
}

/** Returns the rows that may still be written. */
async function tryAgain<Row>(
  { write, isRefusal, onLost }: SettleQueueOptions<Row>,
  rows: readonly Row[],
): Promise<readonly Failed<Row>[]> {
  const results = await Promise.allSettled(rows.map(write));
  const failed = rows.flatMap((row, at) => {
    const result = results[at];
    return result?.status === "rejected" ? [{ row, error: result.reason as unknown }] : [];
  });
  const refused = failed.filter(({ error }) => isRefusal(error));
  for (const { row, error } of refused) onLost(row, error);
  return failed.filter(({ error }) => !isRefusal(error));
}
