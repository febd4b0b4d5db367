/** Webhooks as an operator's receiver gets them from a server. */
import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import {
  ADMIN_ENV,
  admin,
  bearer,
  question,
  startTokenScene,
  WAIT_MS,
} from "../dialects/openai/support.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import { until } from "../support/process.ts";
import { OPERATOR_KEY } from "../support/scene.ts";
import { ALERT_SECRET, startReceiver } from "../support/webhooks.ts";

async function start(env: Readonly<Record<string, string>> = {}, options = {}) {
  const receiver = closeAfterFile(await startReceiver());
  const settings = { ALERT_URL: receiver.url, ALERT_SECRET, ...env };
  const scene = await startTokenScene(settings, options);
  const ask = (token: string, headers = {}, body: object = question) =>
    postJson(scene.chat, body, { headers: { ...bearer(token), ...headers } });
  const arrived = (count: number) =>
    until(() => receiver.received.length >= count, {
      label: `${count} webhooks`,
      timeoutMs: 2 * WAIT_MS,
    });
  return { receiver, scene, ask, arrived, settings };
}

describe.concurrent("a quota", () => {
  test("is told at its marks: once each, signed, and without any secret", async () => {
    const { receiver, scene, ask, arrived, settings } = await start();
    const { token, id } = await scene.issue({ name: "Ann", requests_per_day: 4 });
    await ask(token);
    await ask(token);
    await arrived(1);
    await ask(token);
    await ask(token);
    await ask(token);
    await arrived(2);
    // a restart tells nothing again
    const { config } = scene.parley;
    const place = { DATA_DIR: config.DATA_DIR, OPENAI_URL: scene.upstream.url };
    const again = closeAfterFile(
      await startParley({ ...ADMIN_ENV, ...place, API_KEY: OPERATOR_KEY, ...settings }),
    );
    const headers = bearer(token);
    const url = `${again.origin}/v1/chat/completions`;
    expect((await postJson(url, question, { headers })).status).toBe(429);
    await admin(again.origin, "POST", "/groups", { name: "class", requests_per_month: 1 });
    const member = await admin(again.origin, "POST", "/tokens", { name: "Bob", group: "class" });
    await postJson(url, question, { headers: bearer(Object(member.json).token) });
    await arrived(3);
    const facts = { quota: "requests", limit: 4, resets_at: expect.stringMatching(/T00:00:00/) };
    const ann = { token: { id, name: "Ann" }, period: "day", ...facts };
    expect(receiver.received.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: "token.quota", data: { ...ann, percent: 50, used: 2 } },
      { type: "token.quota", data: { ...ann, percent: 100, used: 4 } },
      {
        type: "group.quota",
        data: {
          group: { id: expect.any(String), name: "class" },
          ...{ quota: "requests", period: "month", percent: 100, limit: 1, used: 1 },
          resets_at: expect.any(String),
        },
      },
    ]);
    expect(receiver.forged).toBe(0);
    const ids = receiver.received.map((one) => one.id);
    expect(new Set(ids).size).toBe(3);
    const raw = receiver.received.map((one) => one.raw).join();
    for (const secret of [token, OPERATOR_KEY, ALERT_SECRET, "Hello?"]) {
      expect(raw).not.toContain(secret);
    }
    expect(raw).not.toMatch(/parley-\w{20}|sk-/);
  });

  test("in money is told as an exact decimal, and used up when it refuses calls", async () => {
    const { receiver, scene, ask } = await start();
    // a call is refused once there is less than what would be reserved for it
    const { token } = await scene.issue({ money_per_month: "0.0004" });
    let status = 200;
    for (let calls = 0; status === 200 && calls < 200; calls += 1) {
      ({ status } = await ask(token, {}, { ...question, max_tokens: 20 }));
    }
    expect(status).toBe(429);
    const told = () => receiver.received.at(-1);
    const isUsedUp = () => told()?.data.percent === 100;
    await until(isUsedUp, { label: "the last mark", timeoutMs: 2 * WAIT_MS });
    expect(told()?.data).toMatchObject({ quota: "money", period: "month", limit: "0.0004" });
    expect(told()?.data.used).toMatch(/^0\.0003\d+$/);
  });
});

describe.concurrent("a receiver", () => {
  const hang = () => undefined;
  const refuse = (response: ServerResponse) => response.writeHead(500).end();
  const lead = (response: ServerResponse) =>
    response.writeHead(307, { location: "http://127.0.0.1:9/" }).end();

  test.each([
    ["hangs", hang],
    ["refuses", refuse],
    ["leads elsewhere", lead],
    ["breaks off", (response: ServerResponse) => response.destroy()],
  ])("that %s costs no call anything", async (_, respond) => {
    const { receiver, scene, ask, arrived } = await start();
    receiver.respond = respond;
    const { token } = await scene.issue({ requests_per_day: 40 });
    const statuses = [];
    for (let calls = 0; calls < 20; calls += 1) statuses.push((await ask(token)).status);
    await arrived(1);
    for (let calls = 0; calls < 20; calls += 1) statuses.push((await ask(token)).status);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test("that was away gets it with the same id when it is back", async () => {
    const { receiver, scene, ask, arrived } = await start();
    receiver.respond = (response) => {
      receiver.respond = (next) => next.writeHead(204).end();
      response.writeHead(503).end();
    };
    const { token } = await scene.issue({ requests_per_day: 2 });
    await ask(token);
    await until(() => receiver.received.length >= 2, { label: "a retry", timeoutMs: 20_000 });
    expect(receiver.received[0]?.id).toBe(receiver.received[1]?.id);
    await arrived(2);
  }, 30_000);

  test("that is not there costs no call anything", async () => {
    const { scene, ask } = await start({ ALERT_URL: "http://127.0.0.1:9/" });
    const { token } = await scene.issue({ requests_per_day: 1 });
    expect([(await ask(token)).status, (await ask(token)).status]).toEqual([200, 429]);
  });
});

test("a key that is turned down is told by its place, not by its text", async () => {
  const behaviour = {
    name: "limit",
    run: async ({ response }: { readonly response: ServerResponse }) => {
      response.writeHead(429, { "content-type": "application/json", "retry-after": "30" });
      response.end(
        JSON.stringify({ error: { message: "slow down", code: "rate_limit_exceeded" } }),
      );
    },
  };
  const { receiver, scene, ask, arrived } = await start(
    { API_KEY: "sk-first-0123456789,sk-second-0123456789" },
    { behaviour },
  );
  for (let calls = 0; calls < 3; calls += 1) await ask(scene.token);
  await arrived(2);
  expect(receiver.received.map(({ type, data }) => ({ type, ...data }))).toEqual(
    [1, 2].map((key) => ({
      type: "key.cooldown",
      upstream: "default",
      key,
      reason: "limited",
      seconds: 30,
    })),
  );
  expect(receiver.received.map(({ raw }) => raw).join()).not.toContain("sk-");
});

describe("a token that is seen from many networks", () => {
  const env = { SHARED_TOKEN_NETWORKS: "3", TRUSTED_PROXIES: "loopback" };

  test("is told once a day, in the log too, and nothing is refused", async () => {
    const { receiver, scene, ask, arrived } = await start(env);
    const { token, id } = await scene.issue({ name: "Ann" });
    const from = (address: string) => ask(token, { "x-forwarded-for": address });
    const same = ["10.0.0.1", "10.0.0.2", "10.0.0.1", "2001:db8::1", "2001:db8::2", "10.0.0.2"];
    for (const address of same) expect((await from(address)).status).toBe(200);
    for (let one = 10; one < 20; one += 1) {
      expect((await from(`10.0.0.${one}`)).status).toBe(200);
    }
    await arrived(1);
    expect(receiver.received).toMatchObject([
      { type: "token.shared", data: { token: { id, name: "Ann" }, networks: 4 } },
    ]);
    const warnings = scene.parley.log.filter((line) =>
      JSON.stringify(line).includes("token_shared"),
    );
    expect(warnings).toHaveLength(1);
    const seen = JSON.stringify([receiver.received, warnings]);
    for (const text of [token, "10.0.0.1", "2001:db8"]) expect(seen).not.toContain(text);
  });

  test("is in the log without a receiver, too", async () => {
    const scene = await startTokenScene(env);
    const isWarned = () => JSON.stringify(scene.parley.log).includes("token_shared");
    const ask = (address: string) =>
      postJson(scene.chat, question, {
        headers: { ...bearer(scene.token), "x-forwarded-for": address },
      });
    for (const end of [1, 2, 3]) await ask(`10.0.0.${end}`);
    await ask("10.0.0.3");
    expect(isWarned()).toBe(false);
    await ask("10.0.0.4");
    await until(isWarned, { label: "a warning", timeoutMs: WAIT_MS });
  });
});
