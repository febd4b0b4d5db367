/** Two instances while their PostgreSQL fails over, crashes, restarts and hangs. */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { type RunningParley, startParley } from "../support/parley.ts";
import { type Replicas, startReplicas } from "../support/replicas.ts";
import { OPERATOR_KEY } from "../support/scene.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { startUpstream } from "../support/upstream.ts";

const ADMIN = "0123456789abcdef";
/** Calls that each instance has open all the while. */
const LANES = 2;
/** From the first moment at which the database takes a write again. */
const RECOVERY = { timeout: 5_000, interval: 20 };
const A_WHILE = { timeout: 20_000, interval: 50 };

interface UsageRow {
  readonly request_id: string;
  readonly outcome: string;
  readonly total_tokens: number | null;
}

describe("two instances behind a proxy that leads to the primary", { tags: "postgresql" }, () => {
  let replicas: Replicas;
  let proxy: TcpProxy;
  let url: string;
  let first: RunningParley;
  let second: RunningParley;
  let created: { readonly id: string; readonly token: string };

  const send = (method: string, path: string, body?: object) =>
    postJson(`${first.origin}${path}`, body, {
      method,
      headers: { authorization: `Bearer ${ADMIN}` },
    });
  /** The id of the call, if it was answered. */
  const call = async ({ origin } = first): Promise<string | number> => {
    const body = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] };
    const headers = { authorization: `Bearer ${created.token}` };
    const reply = await postJson(`${origin}/v1/chat/completions`, body, { headers });
    return reply.status === 200 ? String(reply.headers["x-request-id"]) : reply.status;
  };
  const works = () =>
    Promise.all(
      [first, second].map((copy) =>
        vi.waitFor(async () => expect(await call(copy)).toMatch(/^req-/), RECOVERY),
      ),
    );

  beforeAll(async () => {
    replicas = await startReplicas();
    proxy = await startTcpProxy("127.0.0.1", replicas.primary.port);
    url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const upstream = closeAfterFile(await startUpstream());
    const service = { OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY, RETRIES: "0" };
    const env = { DATABASE_URL: url, ADMIN_TOKEN: ADMIN, ...service };
    first = closeAfterFile(await startParley(env));
    second = closeAfterFile(await startParley(env));
    const priced = await send("PUT", "/admin/prices/gpt-4o", { input: "1", output: "1" });
    expect(priced.status).toBe(200);
    const wanted = { name: "one", requests_per_day: 1_000_000 };
    created = (await send("POST", "/admin/tokens", wanted)).json as typeof created;
  }, 60_000);
  afterAll(async () => {
    await proxy.close();
    await replicas.close();
  });

  const query = async (...texts: readonly string[]) => {
    const { port } = replicas.standby;
    const connectionString = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const client = new pg.Client({ connectionString });
    await client.connect();
    for (const text of texts) await client.query(text);
    await client.end();
  };

  test("serve after each kind of failover, without a restart", async () => {
    const isReady = async (status: number) => {
      expect((await send("GET", "/readyz")).status).toBe(status);
    };
    await works();

    // The primary dies, and the standby takes over.
    await replicas.primary.end("SIGQUIT");
    expect(await call()).toBe(503);
    await isReady(503);
    proxy.leadTo(replicas.standby.port);
    // Connected already while it is read-only: then nothing ends these sessions.
    expect(await call()).toBe(503);
    await replicas.standby.promote();
    await works();
    await vi.waitFor(() => isReady(200), RECOVERY);

    // All sessions become read-only, while new ones are not.
    const setting = "default_transaction_read_only";
    await query(`ALTER DATABASE postgres SET ${setting} = on`);
    await proxy.cut();
    await vi.waitFor(async () => expect(await call()).toBe(503), RECOVERY);
    await isReady(503);
    await query(`SET ${setting} = off`, `ALTER DATABASE postgres RESET ${setting}`);
    await works();
    await vi.waitFor(() => isReady(200), RECOVERY);
  }, 60_000);

  test("serve under calls after a crash, a restart and a hang, and no row is lost or doubled", async () => {
    const node = replicas.standby;
    const answered: (string | number)[] = [];
    let isOver = false;
    const lane = async (copy: RunningParley) => {
      for (; !isOver; await pause(20)) answered.push(await call(copy));
    };
    const lanes = Promise.all(
      [first, second].flatMap((copy) => Array.from({ length: LANES }, () => lane(copy))),
    );
    await works();
    await node.end("SIGKILL");
    expect(await call()).toBe(503);
    await node.start();
    await works();

    await node.end("SIGINT");
    await node.start();
    await works();

    node.pause();
    expect(await call()).toBe(503);
    node.resume();
    await works();
    isOver = true;
    await lanes;

    const acknowledged = answered.filter((one) => typeof one === "string");
    expect(acknowledged.length).toBeGreaterThan(10);
    const storage = await openStorage({ databaseUrl: url, clock: systemClock, oneOff: true });
    await vi.waitFor(async () => {
      const path = `/admin/usage/export?format=jsonl&token=${created.id}`;
      const lines = (await send("GET", path)).text.split("\n").filter(Boolean);
      const rows: readonly UsageRow[] = lines.map((line) => JSON.parse(line));
      const ids = new Set(rows.map(({ request_id }) => request_id));
      expect(ids.size).toBe(rows.length);
      expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
      const { day } = await storage.ledger.used(created.id);
      expect(day.requests).toBe(rows.filter(({ outcome }) => outcome !== "refused").length);
      expect(day.tokens).toBe(rows.reduce((sum, row) => sum + (row.total_tokens ?? 0), 0));
    }, A_WHILE);
    await storage.close();
  }, 60_000);
});
