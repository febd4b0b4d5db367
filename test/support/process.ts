/** Parley as operators run it: a process of its own, told what to do by its environment. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { deadline, postJson } from "./http.ts";
import { migratedFile, putFile } from "./migrated.ts";

export type Environment = Readonly<Record<string, string>>;

/** A process from its start to its end, whether or not it ever listens. */
export interface StartedProcess {
  readonly pid: number;
  /** Every line written so far, log and complaints together, in the order they arrived. */
  readonly output: readonly string[];
  /** What was written to stderr so far. */
  stderr(): string;
  /** The first line that matches, also one written before; rejects when the process ends without it. */
  waitForLog(pattern: RegExp, timeoutMs?: number): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Stops reading its output and closes the pipes. */
  hangUp(): void;
  /** Its exit code; null where a signal ended it. All output is there by then. */
  readonly exit: Promise<number | null>;
  /** Ends the process, if it hasn't, and waits until it is gone. */
  close(): Promise<void>;
}

export interface ParleyProcess extends StartedProcess {
  readonly port: number;
  /** From its launch to the moment it listened: what ends "at once" ends quicker. */
  readonly startMs: number;
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string;
  /** One number from /metrics, 0 where it isn't there; counted over all labels. */
  metric(name: string): Promise<number>;
  residentBytes(): number;
  /** Sockets the process holds, the listening ones included, those to that port left out. */
  openSockets(exceptToPort?: number): number;
  /** Heap and buffers in use after a full collection; wants a start with `withCollector`. */
  liveBytes(): Promise<number>;
}

export interface ProcessOptions {
  /** In place of dist/main.js. */
  readonly script?: string;
  /** The working directory, whose .env is read; an empty one unless given. */
  readonly cwd?: string;
  /** Runs as the user of this number; only root may ask for it. */
  readonly user?: number;
  /** Collects garbage on SIGUSR2, for `liveBytes`. */
  readonly withCollector?: boolean;
  /** What its DATA_DIR has, unless the environment names another. */
  readonly database?: Buffer;
  /** Descriptors in place of pipes that are read. */
  readonly stdout?: number;
  readonly stderr?: number;
}

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
/** Halves the time a start takes, from the second on. */
const COMPILE_CACHE = join(tmpdir(), "parley-compile-cache");
/** Two busy cores start a process in a second; slower than this means it hangs. */
const START_MS = 60_000;
const LOG_MS = 30_000;
const KILL_MS = 5_000;
const POLL_MS = 20;
const COLLECTOR = `let times = 0;
process.on("SIGUSR2", () => {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write("collected " + ++times + " " + (heapUsed + external) + "\\n");
});`;

const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

/** Starts the real entry with this environment and nothing else; see `startProcess` for the usual way. */
export function launch(env: Environment, options: ProcessOptions = {}): StartedProcess {
  const flags = options.withCollector
    ? ["--expose-gc", "--import", `data:text/javascript,${encodeURIComponent(COLLECTOR)}`]
    : [];
  const folder = mkdtempSync(join(tmpdir(), "parley-test-"));
  if (options.database !== undefined) putFile(join(folder, "parley.sqlite"), options.database);
  const child = spawn(process.execPath, [...flags, options.script ?? MAIN], {
    env: {
      DATA_DIR: folder,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      PORT: "0",
      HOST: "127.0.0.1",
      ...env,
    },
    cwd: options.cwd ?? folder,
    ...(options.user !== undefined && { uid: options.user, gid: options.user }),
    stdio: ["ignore", options.stdout ?? "pipe", options.stderr ?? "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the process could not be started");
  alive.add(child);
  const written = collectLines(child);
  const exit = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      alive.delete(child);
      rmSync(folder, { recursive: true, force: true });
      written.end();
      resolve(code);
    });
  });

  return {
    pid,
    exit,
    output: written.lines,
    stderr: written.stderr,
    waitForLog: (pattern, timeoutMs = LOG_MS) =>
      deadline(written.find(pattern), timeoutMs, `a line like ${pattern}`),
    signal: (name) => {
      child.kill(name);
    },
    hangUp: () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    close: async () => {
      if (alive.has(child)) child.kill("SIGKILL");
      await deadline(exit, KILL_MS, `process ${pid} is gone`);
    },
  };
}

/** Parley on a free port of 127.0.0.1, unless `env` says otherwise; resolves once it listens. */
export async function startProcess(
  env: Environment,
  options: ProcessOptions = {},
): Promise<ParleyProcess> {
  // the file of another user is none of its own
  const database = options.user === undefined ? { database: await migratedFile() } : {};
  const launchedMs = performance.now();
  const started = launch(env, { ...database, ...options });
  const line = await started.waitForLog(/"listening"/, START_MS).catch(async (error: unknown) => {
    await started.close();
    throw error;
  });
  const { port } = JSON.parse(line) as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const startMs = performance.now() - launchedMs;
  let collections = 0;

  return {
    ...started,
    port,
    startMs,
    url,
    metric: async (name) => {
      const { text } = await postJson(`${url}/metrics`, undefined, { method: "GET" });
      return sumOf(name, text);
    },
    residentBytes: () => {
      const status = readFileSync(`/proc/${started.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
    },
    openSockets: (exceptToPort) => socketsOf(started.pid, exceptToPort),
    liveBytes: async () => {
      collections += 1;
      started.signal("SIGUSR2");
      const line = await started.waitForLog(new RegExp(`^collected ${collections} `));
      return Number(line.split(" ")[2]);
    },
  };
}

/**
 * Looks again and again until it is so: for facts of the system that nobody announces, such as the
 * number of open sockets.
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  { label, timeoutMs }: { readonly label: string; readonly timeoutMs: number },
): Promise<void> {
  const lastMs = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > lastMs) throw new Error(`${label}: not within ${timeoutMs} ms`);
    await pause(POLL_MS);
  }
}

interface Written {
  readonly lines: readonly string[];
  stderr(): string;
  find(pattern: RegExp): Promise<string>;
  end(): void;
}

function collectLines(child: ChildProcess): Written {
  const lines: string[] = [];
  const checks = new Set<() => void>();
  const complaints: string[] = [];
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      if (stream === child.stderr) complaints.push(text);
      const parts = `${rest}${text}`.split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      for (const check of checks) check();
    });
  }
  return {
    lines,
    stderr: () => complaints.join(""),
    find: (pattern) =>
      new Promise((resolve, reject) => {
        let seen = 0;
        const check = () => {
          const found = lines.slice(seen).find((line) => pattern.test(line));
          seen = lines.length;
          if (found === undefined && !ended) return;
          checks.delete(check);
          if (found !== undefined) return resolve(found);
          const last = lines.slice(-15).join("\n");
          reject(new Error(`the process ended without a line like ${pattern}:\n${last}`));
        };
        checks.add(check);
        check();
      }),
    end: () => {
      ended = true;
      for (const check of checks) check();
    },
  };
}

function sumOf(name: string, text: string): number {
  const rows = text
    .split("\n")
    .filter((row) => row.startsWith(name) && /^[ {]/.test(row.slice(name.length)));
  return rows.reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(" ") + 1)), 0);
}

function socketsOf(pid: number, exceptToPort = -1): number {
  const folder = `/proc/${pid}/fd`;
  const left = inodesTo(pid, exceptToPort);
  return readdirSync(folder).filter((name) => {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${name}`))?.[1];
      return inode !== undefined && !left.has(inode);
    } catch {
      return false; // closed since the folder was read
    }
  }).length;
}

/** Of the sockets connected to a port; columns as in proc_pid_net(5). */
function inodesTo(pid: number, port: number): ReadonlySet<string> {
  const rows = readFileSync(`/proc/${pid}/net/tcp`, "utf8").trim().split("\n").slice(1);
  const columns = rows.map((row) => row.trim().split(/\s+/));
  const to = columns.filter(
    ([, , remote]) => Number.parseInt(remote?.split(":")[1] ?? "", 16) === port,
  );
  return new Set(to.map((row) => row[9] ?? ""));
}
