import type { MetricsSnapshot } from "../metrics/together.ts";

/** An answer as it goes from thread to thread. */
export interface SentAnswer {
  readonly bytes: Uint8Array;
}

/** What worker 0 does for another one, which says with `from` who it is. */
export interface DeedsOfFirst {
  log(text: string): void;
  /** See AnswerTable; `id` is what `answer` will be asked for. */
  once(from: number, id: number, name: string, wanted: string): Promise<SentAnswer>;
  metrics(): Promise<string>;
  /** Something broke that nobody foresaw, and was logged: the process is to end. */
  failed(): void;
}

/** What the others do for worker 0. */
export interface DeedsOfOthers {
  /** Resolves once calls come in there too. */
  listen(port: number): Promise<void>;
  /** Asks the upstream, for the call that said `once`. */
  answer(id: number): Promise<SentAnswer>;
  /** What was counted there. */
  snapshot(): Promise<MetricsSnapshot>;
  /** See Serving. */
  leaveOff(): Promise<number>;
  finish(seconds: number): Promise<number>;
}
