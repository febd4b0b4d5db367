import { type ChildProcess, fork } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StorageOptions } from "../../../src/storage/open.ts";
import { messageOf } from "./processes.ts";

export interface Talk {
  readonly place: Pick<StorageOptions, "databaseUrl" | "sqliteFile">;
  readonly kind: "race" | "endless";
  /** The conversation. */
  readonly id: string;
  readonly parallel: number;
}

/** A process of its own that is ready to talk, and begins when it is sent a message. */
export async function startTalker(work: Talk): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("./talk-process.ts", import.meta.url)), {
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "parley-compile-cache") },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  child.send(work);
  if ((await messageOf(child)) !== "ready") throw new Error("a talker is not ready");
  return child;
}
