/** What somebody sees who watches every command that reaches the shared store. */
import { connect as connectSocket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { STORE_COMMANDS, STORE_RIGHTS } from "../../../src/limits/shared/rights.ts";
import { postJson } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { startRedis } from "../../support/redis.ts";
import { OPERATOR_KEY, OWN_KEY, startScene } from "../../support/scene.ts";

const ADMIN = "admin-0123456789-0123456789";
const PASSWORD = "store-password-0123456789";
const CONTENT = "canary-question-0123456789";
const NAME = "canary-idempotency-key-0123456789";

describe("with the rights that the documentation names", { tags: "redis" }, () => {
  test("all is counted, and no key, token, name or content is seen by the store", async () => {
    const args = ["--user", ...`parley on >${PASSWORD} ${STORE_RIGHTS}`.split(" ")];
    const server = await startRedis({ args });
    onTestFinished(() => server.close());
    let seen = "";
    const monitor = connectSocket(server.port, "127.0.0.1");
    onTestFinished(() => void monitor.destroy());
    monitor.setEncoding("latin1").on("data", (text: string) => {
      seen += text;
    });
    monitor.write("MONITOR\r\n");
    await until(() => seen.includes("+OK"), { label: "it watches", timeoutMs: 5_000 });

    const { parley } = await startScene({
      REDIS_URL: `redis://parley:${PASSWORD}@127.0.0.1:${server.port}`,
      ADMIN_TOKEN: ADMIN,
      HOUR_LIMIT: "100",
      STREAM_LIMIT: "5",
      ROUTE: "api",
    });
    const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
    const price = { input: "1", output: "1" };
    const admin = { headers: bearer(ADMIN) };
    await postJson(`${parley.origin}/admin/prices/gpt-4o`, price, { method: "PUT", ...admin });
    const one = { name: "one", minute_limit: 9, requests_per_day: 1_000 };
    const created = await postJson(`${parley.origin}/admin/tokens`, one, admin);
    const { token } = created.json as { token: string };
    const messages = [{ role: "user", content: CONTENT }];
    const ask = async (secret: string, more: object, headers: Record<string, string> = {}) => {
      const body = { model: "gpt-4o", messages, ...more };
      const all = { ...bearer(secret), ...headers };
      const reply = await postJson(`${parley.origin}/v1/chat/completions`, body, { headers: all });
      expect(reply.status, reply.text).toBe(200);
      return reply.text;
    };
    await ask(token, {});
    await ask(OWN_KEY, { stream: true });
    const first = await ask(token, {}, { "idempotency-key": NAME });
    await until(() => seen.includes("'kept'"), { label: "it is kept", timeoutMs: 5_000 });
    expect(await ask(token, {}, { "idempotency-key": NAME })).toBe(first);
    const bad = await postJson(parley.url, { user_content: CONTENT, api_key: "sk-bad-0123456789" });
    expect(bad.status).toBe(401);

    expect(seen.length).toBeGreaterThan(10_000);
    expect(seen).toContain("127.0.0.1}");
    const secrets = [OPERATOR_KEY, OWN_KEY, token, token.slice("parley-".length), ADMIN, "sk-bad"];
    for (const secret of [...secrets, PASSWORD, CONTENT, NAME, "echo:"]) {
      expect(seen).not.toContain(secret);
    }
    const stats = String(await server.command("INFO", "commandstats"));
    const refused = stats
      .split("\n")
      .filter((line) => /rejected_calls=[1-9]|failed_calls=[1-9]/.test(line));
    // EVALSHA of what was not loaded yet
    expect(refused.filter((line) => !line.startsWith("cmdstat_evalsha"))).toEqual([]);
    const others = ["auth", "monitor", "info", "hello", "client"]; // of this test
    const called = [...stats.matchAll(/cmdstat_([a-z]+)/g)].map(([, name = ""]) => name);
    expect(called.filter((name) => ![...STORE_COMMANDS, ...others].includes(name))).toEqual([]);
  });
});
