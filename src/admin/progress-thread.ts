/** The thread that shows how far long work is: see progress.ts. */
import { statSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { nowMs, type ProgressJob } from "./progress.ts";
import { createTexts } from "./texts.ts";
import { cutTo } from "./width.ts";

const STANDARD_ERROR = 2;
/** What is done by then needs no line. */
const SILENT_MS = 1_000;
const DRAW_EVERY_MS = 200;
const CLEAR_LINE = "\r\u001b[K";
const MIB = 1_048_576;

const job = workerData as ProgressJob; // cast: progress.ts is the only one to start this thread
const { say } = createTexts(job.language);
let isDrawn = false;

const timer = setInterval(() => {
  const elapsedMs = nowMs() - job.startedMs;
  if (elapsedMs < SILENT_MS) return;
  isDrawn = true;
  // a character in the last column would begin a new line
  write(CLEAR_LINE + cutTo(lineAfter(Math.floor(elapsedMs / 1_000)), job.columns - 1));
}, DRAW_EVERY_MS);

parentPort?.once("message", () => {
  clearInterval(timer);
  if (isDrawn) write(CLEAR_LINE);
  parentPort?.close();
});

function lineAfter(seconds: number): string {
  const task = say(`progress.${job.task}`);
  const { file, totalBytes = 0 } = job;
  if (file === undefined) {
    return say("progress.count", { task, done: Number(Atomics.load(job.done, 0)), seconds });
  }
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const [done, total] = [bytes, totalBytes].map((size) => (size / MIB).toFixed(1));
  return say("progress.size", { task, done: done ?? "", total: total ?? "", seconds });
}

function write(text: string): void {
  try {
    writeSync(STANDARD_ERROR, text);
  } catch {
    // a terminal that is gone or full
  }
}
