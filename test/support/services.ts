/** What the full ring needs: the bundle that processes under test run, and a PostgreSQL server. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** May create databases. Absent in the quick ring, where storage runs on SQLite alone. */
    postgresUrl: string;
  }
}

const USUAL_URL = "postgres://root@127.0.0.1:5432/test";
const root = fileURLToPath(new URL("../../", import.meta.url));
const SERVER = fileURLToPath(new URL("./postgres-server.ts", import.meta.url));

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres] = await Promise.all([openPostgres(process.env.TEST_POSTGRES), build()]);
  project.provide("postgresUrl", postgres.url);
  return postgres.close;
}

async function build(): Promise<void> {
  for (const config of ["rolldown.pages.config.ts", "rolldown.config.ts"]) {
    const args = ["node_modules/rolldown/bin/cli.mjs", "--config", config];
    await promisify(execFile)(process.execPath, args, { cwd: root });
  }
}

/** The server that answers, or else one of our own, which also ends when this process crashes. */
async function openPostgres(given: string | undefined) {
  const url = given ?? USUAL_URL;
  const problem = await tryToConnect(url);
  if (problem === null) return { url, close: async () => undefined };
  if (given !== undefined) throw new Error(`TEST_POSTGRES does not answer`, { cause: problem });
  const server = spawn(process.execPath, [SERVER], {
    detached: true, // Ctrl-C is for us: the end of stdin stops it
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = once(server, "exit");
  const [line] = await Promise.race([once(server.stdout, "data"), gone]);
  if (typeof line === "number") throw new Error("PostgreSQL did not start: set TEST_POSTGRES");
  return {
    url: String(line).trim(),
    close: async () => {
      server.stdin.end();
      await gone;
    },
  };
}

async function tryToConnect(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    await client.end();
    return null;
  } catch (error) {
    return error;
  }
}
