/** `GET /admin/warnings`: what an operator should look at. */
import { expect, test } from "vitest";
import { refuse } from "../support/faults.ts";
import { postJson } from "../support/http.ts";
import { until } from "../support/process.ts";
import { startRouted } from "../support/routed.ts";
import { settingsFor } from "./support.ts";
import { ADMIN_TOKEN, startAdmin } from "./support-http.ts";

interface Warnings {
  readonly warnings: readonly Readonly<Record<string, unknown>>[];
  readonly alerts: readonly Readonly<Record<string, unknown>>[];
}

test("a server without anything to look at says so", async () => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  const reply = await send("GET", "/warnings");
  expect([reply.status, reply.json]).toEqual([200, { warnings: [], alerts: [] }]);
});

test("the warnings are those of /readyz", async () => {
  const { send, origin } = await startAdmin(await settingsFor("sqlite"));
  const read = (path: string, headers = {}) =>
    postJson(origin + path, undefined, { method: "GET", headers });
  for (let n = 0; n < 25; n += 1) await read("/healthz", { "x-forwarded-for": "192.0.2.7" });
  const { warnings } = (await send("GET", "/warnings")).json as Warnings;
  expect(warnings).toMatchObject([{ code: "shared_peer", peer: "127.0.0.1" }]);
});

test("alerts are there without a receiver, with names and no secret", async () => {
  const routed = await startRouted({ RETRIES: "0", ADMIN_TOKEN });
  const { add, route, price, token, chat, parley } = routed;
  const first = await add("first");
  await add("second");
  await route("alias", "first:a; second:b");
  await price("alias");
  const key = await token();
  first.behave(refuse(500));
  for (let call = 0; call < 8; call += 1) await chat("alias", key);
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const read = async () => {
    const path = `${parley.origin}/admin/warnings`;
    return (await postJson(path, undefined, { method: "GET", headers })).json as Warnings;
  };
  let found: Warnings = { warnings: [], alerts: [] };
  await until(
    async () => {
      found = await read();
      return found.alerts.length > 0;
    },
    { label: "an alert", timeoutMs: 20_000 },
  );
  expect(found.alerts).toEqual([
    {
      ...{ event: "upstream.open", subject: "first", upstream: "first", model: "a" },
      reason: "upstream_failed",
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  ]);
  expect(JSON.stringify(found)).not.toMatch(/sk-of|parley-/);
});
