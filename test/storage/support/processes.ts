import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StorageOptions } from "../../../src/storage/open.ts";

export interface Work {
  readonly place: Pick<StorageOptions, "databaseUrl" | "sqliteFile">;
  readonly kind: "reserve" | "calls" | "migrate" | "names";
  /** Of one token; to reserve, of several with commas between. */
  readonly secret: string;
  /** Reservations to try at once, calls open at once, or names to try. */
  readonly parallel: number;
  readonly name: string;
}

const messageDeadlineMs = 30_000;

/** A process of its own that works on a database; the first message says that it is ready. */
export async function startProcess(work: Work): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("./process.ts", import.meta.url)), {
    // Starting is most of what these tests take.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "parley-compile-cache") },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  child.send(work);
  if ((await messageOf(child)) !== "ready") throw new Error(`${work.name} is not ready`);
  return child;
}

export async function messageOf(child: ChildProcess): Promise<unknown> {
  const signal = AbortSignal.timeout(messageDeadlineMs);
  const gone = once(child, "exit", { signal }).then(([code]) => {
    throw new Error(`the process ended with ${code} before it spoke`);
  });
  const [message] = await Promise.race([once(child, "message", { signal }), gone]);
  return message;
}

export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await once(child, "exit", { signal: AbortSignal.timeout(messageDeadlineMs) });
}
