import type { MessagePort } from "node:worker_threads";
import type { AnswerTable } from "../dialects/edge/idempotency.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { DeedsOfFirst, DeedsOfOthers, SentAnswer } from "./deeds.ts";
import { createLine } from "./line.ts";
import type { WorkerData } from "./others.ts";
import type { Seat } from "./seat.ts";
import type { Serving } from "./serving.ts";
import { createSharedCells } from "./shared-cells.ts";

/** Worker 0, as another one sees it. */
export interface First {
  readonly seat: Seat;
  log(text: string): void;
  /** Something broke that nobody foresaw, and was logged. */
  failed(): void;
  /** From now on worker 0 is served: this thread has composed and knows how to listen. */
  ready(serving: Serving, listen: (port: number) => Promise<unknown>): void;
}

interface Ready {
  readonly serving: Serving;
  readonly listen: (port: number) => Promise<unknown>;
}

export function createFirst(port: MessagePort, data: WorkerData): First {
  const { number, workers, memory } = data;
  const asking = new Map<number, () => Promise<SentAnswer>>();
  const composed = Promise.withResolvers<Ready>();
  const metrics = Promise.withResolvers<Metrics>();
  const deeds: DeedsOfOthers = {
    listen: async (port) => void (await (await composed.promise).listen(port)),
    async answer(id) {
      const answer = await asking.get(id)?.();
      if (answer === undefined) throw new Error("nobody asks that");
      // without what else lies in the same memory
      return { ...answer, bytes: new Uint8Array(answer.bytes) };
    },
    snapshot: async () => (await metrics.promise).snapshot(),
    leaveOff: async () => (await composed.promise).serving.leaveOff(),
    finish: async (seconds) => (await composed.promise).serving.finish(seconds),
  };
  const line = createLine<DeedsOfFirst, DeedsOfOthers>(port, deeds);

  return {
    seat: {
      number,
      workers,
      cells: createSharedCells(memory),
      answers: () => createFarAnswers(asking, (...asked) => line.ask("once", number, ...asked)),
      metrics(own) {
        metrics.resolve(own);
        return () => line.ask("metrics");
      },
    },
    log: (text) => line.tell("log", text),
    failed: () => line.tell("failed"),
    ready: (serving, listen) => composed.resolve({ serving, listen }),
  };
}

/** Worker 0's table: it says for each call whether to ask here, or what was answered elsewhere. */
function createFarAnswers(
  asking: Map<number, () => Promise<SentAnswer>>,
  askFirst: (id: number, name: string, wanted: string) => Promise<SentAnswer>,
): AnswerTable {
  let calls = 0;
  return {
    async once<T extends SentAnswer>(name: string, wanted: string, ask: () => Promise<T>) {
      calls += 1;
      const id = calls;
      const own: Promise<T>[] = [];
      asking.set(id, () => {
        own[0] = ask();
        return own[0];
      });
      try {
        const answer = await askFirst(id, name, wanted);
        // the same request was answered by the same route, if by another thread
        return await (own[0] ?? (answer as T));
      } catch (thrown) {
        // what failed here is thrown as it was, with its cause
        if (own[0] === undefined) throw thrown;
        return await own[0];
      } finally {
        asking.delete(id);
      }
    },
  };
}
