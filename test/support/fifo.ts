/** A pipe with a name, for outputs whose reader has stopped or is gone. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeAfterFile } from "./cleanup.ts";

export interface Fifo {
  /** Open for both directions: a reader that reads nothing until `read`. */
  readonly fd: number;
  /** What is in the pipe now. */
  read(): string;
}

const PIPE_BYTES = 65_536;

export function createFifo(): Fifo {
  const folder = mkdtempSync(join(tmpdir(), "parley-fifo-"));
  const path = join(folder, "fifo");
  execFileSync("mkfifo", [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  closeAfterFile({
    close: () => {
      closeSync(fd);
      rmSync(folder, { recursive: true });
    },
  });
  const buffer = Buffer.alloc(PIPE_BYTES);
  return {
    fd,
    read() {
      try {
        return buffer.toString("latin1", 0, readSync(fd, buffer));
      } catch {
        return ""; // EAGAIN
      }
    },
  };
}
