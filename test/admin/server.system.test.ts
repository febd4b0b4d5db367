import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { entry } from "../storage/support/calls.ts";
import { kinds } from "../storage/support/databases.ts";
import { postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { ParleyProcess } from "../support/process.ts";
import type { ScriptedUpstream } from "../support/upstream.ts";
import { type Env, folder, parley, settingsFor } from "./support.ts";

const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello?" }] };

async function startServer(env: Env): Promise<ParleyProcess & { upstream: ScriptedUpstream }> {
  const { parley: server, upstream } = await startPair(env);
  return { ...server, upstream };
}

test.each(kinds)(
  "a change on the command line applies at once to a server on the same %s database",
  async (kind) => {
    const env = await settingsFor(kind);
    const server = await startServer(env);
    const ask = (token: string) =>
      postJson(`${server.url}/v1/chat/completions`, body, {
        headers: { authorization: `Bearer ${token}` },
      });
    const made = await parley(env, ["token", "create", "--name", "alice", "--json"]);
    const { id, token } = made.json<{ id: string; token: string }>();
    const unpriced = await ask(token);
    expect([unpriced.status, unpriced.json]).toMatchObject([
      400,
      { error: { code: "model_not_priced" } },
    ]);
    await parley(env, ["price", "set", "gpt-4o-mini", "--input", "0.15", "--output", "0.6"]);
    expect((await ask(token)).status).toBe(200);
    const used = await parley(env, ["usage", "--by", "token", "--json"]);
    const [row] = used.json<{ token: string; name: string; requests: number; cost: string }[]>();
    expect(row).toMatchObject({ token: id, name: "alice", requests: 1 });
    expect(Number(row?.cost)).toBeGreaterThan(0);
    await parley(env, ["token", "revoke", id]);
    expect((await ask(token)).status).toBe(401);
    expect(server.upstream.requests).toHaveLength(1);
  },
  60_000,
);

test("a backup works while the server runs; a restore is refused until it stops", async () => {
  const env = await settingsFor("sqlite");
  const server = await startServer(env);
  const copy = join(folder(), "copy.sqlite");
  expect((await parley(env, ["backup", copy])).code).toBe(0);
  const refused = await parley(env, ["restore", copy]);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("is in use. Stop the server first.");
  expect((await postJson(`${server.url}/readyz`, undefined, { method: "GET" })).status).toBe(200);
  server.signal("SIGTERM");
  expect(await server.exit).toBe(0);
  expect((await parley(env, ["restore", copy])).code).toBe(0);
}, 60_000);

test("rows older than RETENTION_DAYS are deleted at startup", async () => {
  const env = await settingsFor("sqlite");
  const sqliteFile = `${env.DATA_DIR}/parley.sqlite`;
  const storage = await openStorage({ sqliteFile, clock: systemClock });
  for (const at of [0, Date.now()]) await storage.ledger.settle(entry({ at }), null);
  await storage.close();
  const server = await startServer({ ...env, RETENTION_DAYS: "1" });
  expect(await server.waitForLog(/"old ledger rows deleted"/)).toContain('"rows":1');
  const usage = await parley(env, ["usage", "--by", "model", "--json"]);
  expect(usage.json()).toMatchObject([{ requests: 1 }]);
}, 30_000);
