/** Several copies of Parley, each a process of its own, that share a database, a store and an upstream. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase } from "../storage/support/databases.ts";
import { closeAfterFile } from "./cleanup.ts";
import { startNginx } from "./nginx.ts";
import { type Environment, type ParleyProcess, startProcess } from "./process.ts";
import { type ScriptedUpstream, startUpstream, type UpstreamOptions } from "./upstream.ts";

export interface CopiesOptions extends UpstreamOptions {
  readonly count: number;
  readonly env: Environment;
  /** One SQLite file, unless given. */
  readonly database?: "sqlite" | "postgres";
}

export interface Copies {
  readonly copies: readonly ParleyProcess[];
  readonly upstream: ScriptedUpstream;
  /** What each copy was started with, for another one. */
  readonly env: Environment;
}

const FROM_PROXY = `location / {
  proxy_pass http://127.0.0.1:5000;
  proxy_http_version 1.1;
  proxy_set_header X-Forwarded-For $http_x_forwarded_for;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
  proxy_buffering off;
}`;

/** The first makes the database, the others start at once; everything ends with the test file. */
export async function startCopies(options: CopiesOptions): Promise<Copies> {
  const { count, database = "sqlite" } = options;
  const upstream = closeAfterFile(await startUpstream(options));
  const env: Environment = {
    OPENAI_URL: upstream.url,
    API_KEY: "sk-good",
    TRUSTED_PROXIES: "loopback",
    INSTANCES: String(count),
    ...(await placeOf(database)),
    ...options.env,
  };
  const start = async () => closeAfterFile(await startProcess(env));
  const first = await start();
  const others = await Promise.all(Array.from({ length: count - 1 }, start));
  const copies = [first, ...others];
  return { copies, upstream, env };
}

async function placeOf(kind: "sqlite" | "postgres"): Promise<Environment> {
  if (kind === "sqlite") {
    const folder = mkdtempSync(join(tmpdir(), "parley-copies-"));
    closeAfterFile({ close: () => rmSync(folder, { recursive: true, force: true }) });
    return { DATA_DIR: folder };
  }
  const database = await createDatabase("postgres");
  closeAfterFile({ close: database.drop });
  return { DATABASE_URL: database.place.databaseUrl ?? "" };
}

/** nginx before all of them, which takes turns; it passes the client's X-Forwarded-For on. */
export async function startBalancer({ copies }: Copies): Promise<string> {
  const ports = copies.map(({ port }) => port);
  return closeAfterFile(await startNginx(FROM_PROXY, ports)).origin;
}
