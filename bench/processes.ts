import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { request } from "undici";

export interface Start {
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly readyPath: string;
  /** Of a control group that the process is to be in from its first moment. */
  readonly procsFile?: string | null;
}

export interface Running {
  readonly pid: number;
  readonly origin: string;
  /** Where it was started, and where it writes its files. */
  readonly folder: string;
  /** From the spawn to the first 200. */
  readonly startMs: number;
  readonly stop: () => Promise<void>;
}

export interface Processes {
  /** Rejects with the reason when the script ends or is not ready in time. */
  readonly start: (start: Start) => Promise<Running>;
  readonly stopAll: () => Promise<void>;
}

const READY_MS = 10_000;
const POLL_MS = 2;
const STOP_MS = 2_000;
const STDERR_CHARS = 2_000;

/** Whatever way this process ends, what it has started ends with it. */
export function createProcesses(): Processes {
  if (process.platform !== "linux") {
    throw new Error("The benchmark reads /proc and runs on Linux only.");
  }
  const children = new Set<ChildProcess>();
  const compiled = new Set<string>();
  // Candidates may write files where they are started, such as a database.
  const root = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const killAll = () => {
    for (const child of children) killGroup(child);
    rmSync(root, { recursive: true, force: true });
  };
  process.once("exit", killAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(1));
  }

  const startOne = async (given: Start): Promise<Running> => {
    const { script, args, env, port, readyPath, procsFile } = given;
    const folder = mkdtempSync(join(root, "process-"));
    const spawnedAtMs = performance.now();
    const [command = "", ...words] = commandOf([script, ...args], procsFile);
    const child = spawn(command, words, {
      cwd: folder,
      env: { NODE_COMPILE_CACHE: join(root, "compiled"), ...env },
      stdio: ["ignore", "ignore", "pipe"],
      // A group of its own, so that what it starts can be ended with it.
      detached: true,
    });
    children.add(child);
    child.once("exit", () => children.delete(child));
    const complaints = lastWords(child);
    const origin = `http://127.0.0.1:${port}`;
    const problem = await readiness(child, origin + readyPath);
    const startMs = performance.now() - spawnedAtMs;
    if (problem === null && child.pid !== undefined) {
      return { pid: child.pid, origin, folder, startMs, stop: () => stop(child) };
    }
    await stop(child);
    throw new Error([problem, complaints()].filter(Boolean).join(": "));
  };

  return {
    async start(given) {
      // What a script compiles, it leaves when it ends; the one that is measured finds it there, as
      // in the image. Without it, Node holds its compiler in memory and starts later.
      if (!compiled.has(given.script)) {
        compiled.add(given.script);
        await (await startOne({ ...given, procsFile: null })).stop();
      }
      return startOne(given);
    },
    async stopAll() {
      await Promise.all([...children].map(stop));
      killAll();
    },
  };
}

/**
 * A shell enters the group and becomes Node: a copy that is in no cache yet, so that its program
 * counts too, as in a container that was started for the first time.
 */
function commandOf(words: readonly string[], procsFile: string | null = null): readonly string[] {
  if (procsFile === null) return [process.execPath, ...words];
  return ["/bin/sh", "-c", INTO_GROUP, procsFile, process.execPath, ...words];
}

const INTO_GROUP = [
  'cp "$1" node',
  "dd of=node oflag=nocache conv=notrunc,fdatasync count=0 2>/dev/null",
  'echo $$ > "$0"',
  "shift",
  'exec ./node "$@"',
].join(" && ");

/** Where the answers come from that all candidates pass on. */
export async function startUpstream(processes: Processes): Promise<Running> {
  const port = await freePort();
  const script = fileURLToPath(new URL("./upstream.ts", import.meta.url));
  const args = [String(port)];
  return await processes.start({ script, args, env: {}, port, readyPath: "/healthz" });
}

/** A port free a moment ago. Another process could take it first; the start then fails and says so. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP port to be had");
  return address.port;
}

async function readiness(child: ChildProcess, url: string): Promise<string | null> {
  const endMs = performance.now() + READY_MS;
  let last = "no answer";
  while (performance.now() < endMs) {
    if (hasEnded(child)) return `it ended with ${child.exitCode ?? child.signalCode}`;
    last = await statusOf(url);
    if (last === "200") return null;
    await sleep(POLL_MS);
  }
  return `GET ${url} was not 200 within ${READY_MS / 1_000} s (${last})`;
}

async function statusOf(url: string): Promise<string> {
  try {
    const { statusCode, body } = await request(url, { reset: true, headersTimeout: 1_000 });
    await body.dump();
    return String(statusCode);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function lastWords(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    text = (text + piece).slice(-STDERR_CHARS);
  });
  return () => text.split("\n").find((line) => line.includes("Error")) ?? text.trim();
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => killGroup(child), STOP_MS);
  await ended;
  clearTimeout(timer);
  killGroup(child);
}

/** The process and whatever it has started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // none of them is left
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
