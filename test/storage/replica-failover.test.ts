import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import { type Replicas, startReplicas } from "../support/replicas.ts";
import { OPERATOR_KEY, startScene } from "../support/scene.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const ADMIN = "0123456789abcdef";
/** From the first moment at which the database takes a write again. */
const RECOVERY = { timeout: 5_000, interval: 20 };

describe("behind a proxy that leads to the primary", { tags: "postgresql" }, () => {
  let replicas: Replicas;
  let proxy: TcpProxy;
  beforeAll(async () => {
    replicas = await startReplicas();
    proxy = await startTcpProxy("127.0.0.1", replicas.primary.port);
  }, 60_000);
  afterAll(async () => {
    await proxy.close();
    await replicas.close();
  });

  const query = async (port: number, ...texts: readonly string[]) => {
    const connectionString = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const client = new pg.Client({ connectionString });
    await client.connect();
    for (const text of texts) await client.query(text);
    await client.end();
  };

  test("calls are served after each kind of failover, without a restart", async () => {
    const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const env = { DATABASE_URL: url, ADMIN_TOKEN: ADMIN };
    const { parley, upstream } = await startScene(env);
    const second = { ...env, OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY, RETRIES: "0" };
    const copies = [parley, closeAfterFile(await startParley(second))];
    const admin = { authorization: `Bearer ${ADMIN}` };
    const send = (
      method: string,
      path: string,
      body: object,
      headers: Record<string, string>,
      { origin } = parley,
    ) => postJson(`${origin}${path}`, body, { method, headers });
    const price = { input: "1", output: "1" };
    expect((await send("PUT", "/admin/prices/gpt-4o", price, admin)).status).toBe(200);
    const one = { name: "one", requests_per_day: 1_000 };
    const created = await send("POST", "/admin/tokens", one, admin);
    const { token } = created.json as { token: string };
    const call = async (copy = parley) => {
      const messages = [{ role: "user", content: "hi" }];
      const body = { model: "gpt-4o", messages };
      const headers = { authorization: `Bearer ${token}` };
      return (await send("POST", "/v1/chat/completions", body, headers, copy)).status;
    };
    const isReady = async (status: number) => {
      const ready = await postJson(`${parley.origin}/readyz`, undefined, { method: "GET" });
      expect(ready.status).toBe(status);
    };
    const works = () =>
      Promise.all(
        copies.map((copy) => vi.waitFor(async () => expect(await call(copy)).toBe(200), RECOVERY)),
      );
    await works();

    // The primary dies, and the standby takes over.
    await replicas.primary.kill();
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
    await query(replicas.standby.port, `ALTER DATABASE postgres SET ${setting} = on`);
    await proxy.cut();
    await vi.waitFor(async () => expect(await call()).toBe(503), RECOVERY);
    await isReady(503);
    const reset = `ALTER DATABASE postgres RESET ${setting}`;
    await query(replicas.standby.port, `SET ${setting} = off`, reset);
    await works();
    await vi.waitFor(() => isReady(200), RECOVERY);
  }, 60_000);
});
