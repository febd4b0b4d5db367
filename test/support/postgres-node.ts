/** A PostgreSQL server from Debian's packages that can crash, restart, hang and be joined by a standby. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { deadline } from "./http.ts";
import { postgresPrograms } from "./needs.ts";

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
const START_MS = 20_000;

export interface PostgresNode {
  readonly port: number;
  /** Resolves when it takes connections. */
  start(): Promise<void>;
  /** SIGQUIT crashes it, SIGINT ends every session and stops it, SIGKILL takes all of its processes. */
  end(signal: "SIGQUIT" | "SIGINT" | "SIGKILL"): Promise<void>;
  /** Stops all of its processes where they are, and lets them go on. */
  pause(): void;
  resume(): void;
}

/** Folders of servers, which go with all that runs in them. */
export interface PostgresFolder {
  run(program: string, ...args: readonly string[]): Promise<unknown>;
  /** Makes a new, empty server. */
  initialize(name: string): Promise<void>;
  /** A server with the data of that name; not started. */
  node(name: string): Promise<PostgresNode>;
  close(): Promise<void>;
}

export function createPostgresFolder(): PostgresFolder {
  const folder = mkdtempSync(join(tmpdir(), "parley-servers-"));
  if (asUser.uid !== undefined) chownSync(folder, asUser.uid, asUser.gid);
  const nodes: PostgresNode[] = [];
  const run = (program: string, ...args: readonly string[]) =>
    promisify(execFile)(join(postgresPrograms ?? "", program), [...args], {
      ...asUser,
      env: {},
      cwd: folder,
    });
  return {
    run,
    async initialize(name) {
      const access = ["-U", "postgres", "-A", "trust", "-E", "UTF8"];
      await run("initdb", "-D", join(folder, name), "--no-sync", ...access);
    },
    async node(name) {
      const node = createNode(name, join(folder, name), await freePort());
      nodes.push(node);
      return node;
    },
    async close() {
      for (const node of nodes) node.resume();
      await Promise.all(nodes.map((node) => node.end("SIGQUIT")));
      rmSync(folder, { recursive: true });
    },
  };
}

function createNode(name: string, data: string, port: number): PostgresNode {
  let child: ChildProcess | null = null;
  const pids = () => (child?.pid === undefined ? [] : [child.pid, ...childrenOf(child.pid)]);
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of pids()) if (isThere(pid)) process.kill(pid, signal);
  };
  return {
    port,
    async start() {
      const settings = ["-k", "", "-h", "127.0.0.1", "-c", "fsync=off"];
      const started = spawn(
        join(postgresPrograms ?? "", "postgres"),
        ["-D", data, "-p", String(port), ...settings],
        { ...asUser, env: {}, stdio: ["ignore", "ignore", "pipe"] },
      );
      child = started;
      let said = "";
      const ready = new Promise<void>((resolve, reject) => {
        started.stderr.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          if (/ready to accept (read-only )?connections/.test(said)) resolve();
        });
        started.once("exit", () => reject(new Error(`PostgreSQL did not start: ${said}`)));
      });
      await deadline(ready, START_MS, `the ${name} takes connections`);
    },
    async end(signal) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      if (signal === "SIGKILL") signalAll(signal);
      else child.kill(signal);
      await gone;
    },
    pause: () => signalAll("SIGSTOP"),
    resume: () => signalAll("SIGCONT"),
  };
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
