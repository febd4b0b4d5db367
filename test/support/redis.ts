/** Redis, or Valkey, as a process of its own that keeps nothing on disk. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { deadline } from "./http.ts";
import { redisProgram } from "./needs.ts";

export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  /** Of a socket in the file system, which it listens on too. */
  readonly socketPath: string;
  /** Sends one command on a connection of its own, as whoever may do everything. */
  command(name: string, ...words: readonly string[]): Promise<unknown>;
  /** SIGSTOP makes it hang, SIGCONT goes on. */
  signal(name: NodeJS.Signals): void;
  /** Ends it, also a hung one, and resolves when it is gone. */
  close(): Promise<void>;
}

export interface RedisOptions {
  /** Settings as on the command line: `["--requirepass", "secret"]`. */
  readonly args?: readonly string[];
  /** A free one unless given: that of a server which was closed starts it again, empty. */
  readonly port?: number;
}

const START_MS = 10_000;
const READY = "eady to accept connections";

const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

/** Resolves once it takes connections; for tests with the tag "redis". */
export async function startRedis({ args = [], port }: RedisOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "parley-redis-"));
  const ownPort = port ?? (await freePort());
  const socketPath = join(folder, "redis.sock");
  const place = ["--bind", "127.0.0.1", "--port", String(ownPort), "--unixsocket", socketPath];
  const nothingKept = ["--save", "", "--appendonly", "no", "--dir", folder];
  const child = spawn(redisProgram, [...place, ...nothingKept, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  alive.add(child);
  const gone = once(child, "exit").then(() => {
    alive.delete(child);
    rmSync(folder, { recursive: true, force: true });
  });
  await deadline(whenReady(child), START_MS, "Redis listens");
  return {
    port: ownPort,
    url: `redis://127.0.0.1:${ownPort}`,
    socketPath,
    command: async (name, ...words) => {
      const redis = new Redis({ port: ownPort, host: "127.0.0.1", lazyConnect: true });
      try {
        await redis.connect();
        return await redis.call(name, ...words);
      } finally {
        redis.disconnect();
      }
    },
    signal: (name) => {
      child.kill(name);
    },
    close: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

function whenReady(child: ChildProcess): Promise<void> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (!said.includes(READY)) said += text;
      if (said.includes(READY)) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`Redis did not start: ${said}`)));
  });
}
