/** Restarts all copies one after the other, with clients that never stop asking. */
import { readFileSync } from "node:fs";
import pg from "pg";
import { createDatabase } from "../../storage/support/databases.ts";
import { closeAfterFile } from "../cleanup.ts";
import { startHaproxy } from "../haproxy.ts";
import { startNginx } from "../nginx.ts";
import { type ParleyProcess, until } from "../process.ts";
import { startUpstream } from "../upstream.ts";
import { type Copies, startCopies } from "./copies.ts";
import { type LoadOptions, startLoad } from "./load.ts";
import { createTally, type Tally } from "./tally.ts";

export interface RollOptions extends Omit<LoadOptions, "tally" | "origin" | "grpcTarget"> {
  readonly proxy: "haproxy" | "nginx";
  readonly copies: number;
  /** DRAIN_DELAY_SECONDS. */
  readonly delaySeconds: number;
  /** Time between two checks of HAProxy; that of its file, unless given. */
  readonly checkMs?: number;
  /** Time between two pieces of a streamed answer, of which there are about ten. */
  readonly paceMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Rolled {
  readonly tally: Tally;
  /** Request ids in the ledger, by outcome. */
  readonly rows: readonly { readonly request_id: string; readonly outcome: string }[];
  readonly output: readonly string[];
  readonly seconds: number;
}

const LOADED_MS = 30_000;

export async function roll(options: RollOptions): Promise<Rolled> {
  const database = await createDatabase("postgres");
  closeAfterFile({ close: database.drop });
  const databaseUrl = database.place.databaseUrl ?? "";
  const tally = createTally();
  const behaviour = tally.answering(options.paceMs);
  const upstream = closeAfterFile(await startUpstream({ behaviour }));
  const copies = closeAfterFile(
    await startCopies(options.copies, {
      OPENAI_URL: upstream.url,
      API_KEY: "sk-good",
      DATABASE_URL: databaseUrl,
      DRAIN_DELAY_SECONDS: String(options.delaySeconds),
      SHUTDOWN_SECONDS: "30",
      TRUSTED_PROXIES: "loopback",
      WS_CONNECTIONS: "0",
      ...options.env,
    }),
  );
  const { origin, waitUntilUsed } = await startProxy(options, copies);
  const grpcTarget = `ipv4:${copies.ports.map(({ grpc }) => `127.0.0.1:${grpc}`).join()}`;
  const load = startLoad({ ...options, tally, origin, grpcTarget });
  const busy = () => Object.values(tally.counts()).every((count) => count > 0);
  await until(() => busy() || tally.failures.length > 0, {
    label: "all clients",
    timeoutMs: LOADED_MS,
  });
  const startedMs = performance.now();
  for (const at of copies.ports.keys()) {
    const copy = await copies.restart(at);
    await waitUntilUsed(copy);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  await load.stop();
  const output = await copies.stop();
  return { tally, rows: await rowsOf(databaseUrl), output, seconds };
}

async function startProxy(options: RollOptions, copies: Copies) {
  const ports = copies.ports.map(({ http }) => http);
  if (options.proxy === "haproxy") {
    const haproxy = closeAfterFile(await startHaproxy(ports, options.checkMs));
    const waitUntilUsed = () => haproxy.waitForUp(ports.length);
    await waitUntilUsed();
    return { origin: haproxy.origin, waitUntilUsed };
  }
  const { upstream, locations } = blocksOfPage(ports);
  const nginx = closeAfterFile(await startNginx(locations, 0, upstream));
  // nginx asks for nothing: it tries again after fail_timeout
  const waitUntilUsed = (copy: ParleyProcess) => copy.waitForLog(/"method":"POST"/, LOADED_MS);
  return { origin: nginx.origin, waitUntilUsed };
}

/** The blocks of docs/en/reverse-proxy.md for one and for several instances. */
function blocksOfPage(ports: readonly number[]) {
  const page = readFileSync(new URL("../../../docs/en/reverse-proxy.md", import.meta.url), "utf8");
  const [locations = "", upstream = ""] = [...page.matchAll(/```nginx\n([^`]*)```/g)].map(
    ([, block = ""]) => block,
  );
  const [server = ""] = /^ *server .*;$/m.exec(upstream) ?? [];
  const servers = ports.map((port) => server.replace(/\S+:\d+/, `127.0.0.1:${port}`));
  return {
    upstream: upstream.replace(/(?:^ *server .*;\n)+/m, `${servers.join("\n")}\n`),
    locations: locations.replaceAll("http://127.0.0.1:5000", "http://parley"),
  };
}

async function rowsOf(connectionString: string): Promise<Rolled["rows"]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT request_id, outcome FROM ledger");
    return rows;
  } finally {
    await client.end();
  }
}
