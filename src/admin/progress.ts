import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Language } from "../locales.ts";
import type { Tools } from "./tools.ts";

export interface LongWork {
  /** `progress.<task>` of the command's texts. */
  readonly task: "backup" | "restore" | "usage-export" | "price-import";
  /** A file that grows to about `totalBytes`. Without one, the work counts what is done. */
  readonly file?: string;
  readonly totalBytes?: number;
}

/** What the thread that draws is given. */
export interface ProgressJob extends LongWork {
  readonly language: Language;
  readonly columns: number;
  /** When the work began: see nowMs. */
  readonly startedMs: number;
  /** How much is done, as the work counted it. */
  readonly done: BigInt64Array;
}

/**
 * Does the work, and after a second shows on standard error how far it is, if that is a terminal. A
 * thread of its own draws: a backup blocks this one.
 */
export async function withProgress<T>(
  { terminal, look }: Pick<Tools, "terminal" | "look">,
  long: LongWork,
  work: (count: (more: number) => void) => Promise<T>,
): Promise<T> {
  const columns = terminal.err?.columns ?? null;
  if (columns === null) return work(() => undefined);
  const done = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
  const { language } = look.texts;
  const job: ProgressJob = { ...long, language, columns, startedMs: nowMs(), done };
  const worker = new Worker(DRAWING, { workerData: job });
  // work that nobody sees goes on
  const ended = once(worker, "exit").catch(() => undefined);
  worker.on("error", () => undefined);
  try {
    return await work((more) => void Atomics.add(done, 0, BigInt(more)));
  } finally {
    worker.postMessage("end");
    await ended;
  }
}

/** The same in all threads, whose own clocks begin with them. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The bundle has it beside this code, too. */
const ENDING = import.meta.url.endsWith(".ts") ? "ts" : "js";
const DRAWING = new URL(`./progress-thread.${ENDING}`, import.meta.url);
