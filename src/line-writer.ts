import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** Lines leave in blocks of this size, or this often. */
const BLOCK_CHARACTERS = 16_000;
const FLUSH_MS = 100;
/** A full pipe is tried again after this long; while nothing moves, the wait doubles up to FLUSH_MS. */
const RETRY_MS = 2;
/** What waits for an output that takes nothing. Lines beyond it are dropped and counted. */
export const MAX_WAITING_CHARACTERS = 1_048_576;
/** The same at the end, when all ledger rows that could not be written come at once. */
const MAX_LAST_CHARACTERS = 33_554_432;

/** Standard output or standard error. Neither `write` nor `flush` ever blocks or throws. */
export interface LineWriter {
  /** One line with its end. */
  write(line: string): void;
  /** Lines dropped so far. */
  dropped(): number;
  /** For the end of the process: more may wait, because the last lines can't come later. */
  makeRoom(): void;
  /**
   * Writes what waits. Resolves when nothing has moved for `idleMs`, at the latest after `mostMs`, and
   * at once if no waiting would help.
   */
  flush(idleMs: number, mostMs?: number): Promise<void>;
}

export interface LineWriterOptions {
  /** The line that tells of dropped lines, once writing works again. */
  readonly lossLine: (lines: number) => string;
  /** Makes the descriptor itself non-blocking, where it can't be opened a second time. */
  readonly unblock: () => void;
}

/**
 * Writes in this thread, to a descriptor that does not block: a write that is stuck in the thread
 * pool would hold up the end of the process for ever.
 */
export function createLineWriter(fd: number, { lossLine, unblock }: LineWriterOptions): LineWriter {
  const lines = createLines(openWithoutBlocking(fd, unblock), lossLine);
  let timer: NodeJS.Timeout | null = null;
  let retryMs = 0;

  const putOrRetry = () => {
    const before = lines.written();
    if (lines.put() === null) {
      retryMs = 0;
      return;
    }
    retryMs = lines.written() > before ? RETRY_MS : Math.min(retryMs * 2 || RETRY_MS, FLUSH_MS);
    putLater(retryMs);
  };
  const putLater = (ms: number) => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      putOrRetry();
    }, ms);
    timer.unref();
  };

  return {
    dropped: lines.dropped,
    write(line) {
      if (!lines.add(line) || retryMs > 0) return; // the timer tries
      if (lines.waitingCharacters() >= BLOCK_CHARACTERS) putOrRetry();
      else if (timer === null) putLater(FLUSH_MS);
    },
    makeRoom: lines.makeRoom,
    async flush(idleMs, mostMs = idleMs) {
      const lastMs = performance.now() + mostMs;
      let movedMs = performance.now();
      for (let before = lines.written(); ; before = lines.written()) {
        // of all errors, only a full pipe may pass by itself in that time
        if (lines.put() !== "EAGAIN") return;
        const nowMs = performance.now();
        if (lines.written() !== before) movedMs = nowMs;
        if (nowMs - movedMs >= idleMs || nowMs >= lastMs) return;
        await wait(RETRY_MS);
      }
    },
  };
}

/** The lines that wait, a block of which is being written. */
function createLines(target: number, lossLine: LineWriterOptions["lossLine"]) {
  let waiting = "";
  let block = Buffer.alloc(0);
  /** Bytes of the block, and all together. */
  let written = 0;
  let total = 0;
  let dropped = 0;
  let told = 0;
  let room = MAX_WAITING_CHARACTERS;

  /** The next block, once the last is written; false if there is none. */
  const fill = () => {
    if (written < block.length) return true;
    if (waiting === "" && dropped > told) {
      waiting = lossLine(dropped - told);
      told = dropped;
    }
    block = Buffer.from(waiting);
    written = 0;
    waiting = "";
    return block.length > 0;
  };
  return {
    dropped: () => dropped,
    waitingCharacters: () => waiting.length,
    written: () => total,
    makeRoom: () => {
      room = MAX_LAST_CHARACTERS;
    },
    /** False if there is no room. */
    add(line: string): boolean {
      if (block.length - written + waiting.length + line.length > room) {
        dropped += 1;
        return false;
      }
      waiting += line;
      return true;
    },
    /** Null when all is written, else the code of the error. */
    put(): string | null {
      try {
        while (fill()) {
          const bytes = writeSync(target, block, written);
          written += bytes;
          total += bytes;
        }
        return null;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? "";
      }
    },
  };
}

/**
 * A file is used as it is. What else there is gets a descriptor of its own, because O_NONBLOCK would
 * hold for every process that shares this one. Sockets can't be opened again.
 */
function openWithoutBlocking(fd: number, unblock: () => void): number {
  if (fstatSync(fd).isFile()) return fd;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    unblock();
    return fd;
  }
}
