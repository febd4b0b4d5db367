import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import pg from "pg";
import { readCpuMs, readRssMb } from "../proc.ts";
import { freePort } from "../processes.ts";

/** A server that copies share. */
interface Service {
  readonly url: string;
  /** User plus system time so far, in ms. */
  readonly cpuMs: () => number;
  readonly rssMb: () => number;
}

/** Where the copies of one installation count together. */
export interface Store extends Service {
  readonly figures: () => Promise<StoreFigures>;
}

export interface StoreFigures {
  /** Scripts that were run so far, and how long they took by the store's own account. */
  readonly scripts: number;
  readonly scriptUs: number;
  /** What its largest key takes, which is that of a bucket under full load. */
  readonly bucketBytes: number;
}

export interface Services {
  /** Redis or Valkey, whichever is installed; keeps nothing on disk. */
  readonly startStore: () => Promise<Store>;
  /** The PostgreSQL that the tests use: it does not wait for the disk, so its commits are cheap in time. */
  readonly startDatabase: () => Promise<Service>;
  readonly stopAll: () => void;
}

const POSTGRES = fileURLToPath(new URL("../../test/support/postgres-server.ts", import.meta.url));
const STORE_START_MS = 5_000;
const POLL_MS = 20;

export function createServices(): Services {
  const children: ChildProcess[] = [];
  const stopAll = () => {
    for (const child of children) {
      // PostgreSQL's own end, which removes its files: stdin closes
      child.stdin?.end();
      if (child.stdin === null) child.kill("SIGKILL");
    }
  };
  process.once("exit", stopAll);
  const serviceOf = ({ pid = 0 }: ChildProcess, url: string): Service => ({
    url,
    cpuMs: () => readCpuMs(pid),
    rssMb: () => readRssMb(pid),
  });

  return {
    async startStore() {
      const port = await freePort();
      const place = ["--bind", "127.0.0.1", "--port", String(port)];
      const child = spawn(storeProgram(), [...place, "--save", "", "--appendonly", "no"], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      children.push(child);
      const url = `redis://127.0.0.1:${port}`;
      await untilItAnswers(url);
      return { ...serviceOf(child, url), figures: () => readFigures(url) };
    },
    async startDatabase() {
      const child = spawn(process.execPath, [POSTGRES], {
        // Ctrl-C is for us: the end of stdin stops it
        detached: true,
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      const [line] = await once(child.stdout, "data");
      return serviceOf(child, String(line).trim());
    },
    stopAll,
  };
}

/** Makes a database on the server of that URL; returns its own URL. */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create database ${client.escapeIdentifier(name)}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = name;
  return url.href;
}

function storeProgram(): string {
  const names = ["valkey-server", "redis-server"];
  const found = names.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (found === undefined) throw new Error("--copies needs valkey-server or redis-server");
  return found;
}

async function untilItAnswers(url: string): Promise<void> {
  const endMs = performance.now() + STORE_START_MS;
  for (;;) {
    const answers = await withClient(url, async (client) => (await client.ping()) === "PONG").catch(
      () => false,
    );
    if (answers) return;
    if (performance.now() > endMs) throw new Error("the store did not start");
    await sleep(POLL_MS);
  }
}

async function readFigures(url: string): Promise<StoreFigures> {
  return await withClient(url, async (client) => {
    const stats = await client.info("commandstats");
    const [, scripts = "0", scriptUs = "0"] =
      /^cmdstat_evalsha:calls=(\d+),usec=(\d+)/m.exec(stats) ?? [];
    const keys = await client.keys("*");
    const sizes = await Promise.all(keys.map((key) => client.call("MEMORY", ["USAGE", key])));
    const bucketBytes = Math.max(0, ...sizes.map(Number));
    return { scripts: Number(scripts), scriptUs: Number(scriptUs), bucketBytes };
  });
}

async function withClient<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}
