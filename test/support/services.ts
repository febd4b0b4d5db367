/** What the full ring needs: the bundle that processes under test run, and a PostgreSQL server. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { migrate } from "./migrated.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** May create databases. Absent in the quick ring, where storage runs on SQLite alone. */
    postgresUrl: string;
    /** A database there to copy, with all tables and nothing in them. */
    postgresTemplate: string;
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const SERVER = fileURLToPath(new URL("./postgres-server.ts", import.meta.url));

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres] = await Promise.all([openPostgres(process.env.TEST_POSTGRES), build()]);
  project.provide("postgresUrl", postgres.url);
  const template = await createTemplate(postgres.url);
  project.provide("postgresTemplate", template.name);
  return async () => {
    await template.drop();
    await postgres.close();
  };
}

async function createTemplate(server: string) {
  const name = `parley_template_${crypto.randomUUID().slice(0, 8)}`;
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined); // a server that has gone is told by the tests
  await client.connect().catch((cause: unknown) => {
    throw new Error("PostgreSQL does not answer: see TEST_POSTGRES", { cause });
  });
  await client.query(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate({ databaseUrl: url.href });
  return {
    name,
    drop: async () => {
      await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await client.end();
    },
  };
}

async function build(): Promise<void> {
  for (const config of ["rolldown.pages.config.ts", "rolldown.config.ts"]) {
    const args = ["node_modules/rolldown/bin/cli.mjs", "--config", config];
    await promisify(execFile)(process.execPath, args, { cwd: root });
  }
}

/** The server that is named, or else one of our own, which also ends when this process crashes. */
async function openPostgres(given: string | undefined) {
  if (given !== undefined) return { url: given, close: async () => undefined };
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
