/** What `GET /usage` says that a token and its group have left. */
import { expect, test } from "vitest";
import { heldUntil } from "../../support/held.ts";
import { openStream, postJson } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { admin, bearer, question, startTokenScene, WAIT_MS } from "./support.ts";

test("every quota and limit is told with what is used, reserved and left, and when it returns", async () => {
  const go = Promise.withResolvers<void>();
  const scene = await startTokenScene({}, { behaviour: heldUntil(go.promise) });
  const { origin } = scene.parley;
  await admin(origin, "POST", "/groups", { name: "class", requests_per_month: 100 });
  const { token, id } = await scene.issue({
    group: "class",
    tokens_per_day: 10_000,
    money_per_month: "2",
    minute_limit: 5,
    tokens_per_minute: 8_000,
    concurrency: 3,
  });
  const headers = bearer(token);
  const usage = async () =>
    Object((await postJson(`${origin}/usage`, undefined, { method: "GET", headers })).json);

  const untouched = await usage();
  expect(untouched.quotas).toEqual([
    {
      of: "token",
      group: null,
      quota: "tokens",
      period: "day",
      limit: 10_000,
      used: 0,
      reserved: 0,
      left: 10_000,
      resets_at: expect.stringMatching(/T00:00:00.000Z$/),
    },
    {
      of: "token",
      group: null,
      quota: "money",
      period: "month",
      limit: "2",
      used: "0",
      reserved: "0",
      left: "2",
      resets_at: expect.stringMatching(/-01T00:00:00.000Z$/),
    },
    expect.objectContaining({ of: "group", group: "class", quota: "requests", left: 100 }),
  ]);
  expect(untouched.limits).toEqual([
    { counts: "requests", window: "minute", limit: 5, used: 0, left: 5, resets_at: null },
    { counts: "tokens", window: "minute", limit: 8_000, used: 0, left: 8_000, resets_at: null },
    { counts: "open_calls", window: null, limit: 3, used: 0, left: 3, resets_at: null },
  ]);

  const body = { ...question, max_tokens: 1_000, stream: true };
  const stream = await openStream(scene.chat, body, { headers });
  const open = await usage();
  const reserved = open.quotas[0].reserved;
  expect(reserved).toBeGreaterThanOrEqual(1_000);
  expect(open.quotas).toMatchObject([
    { used: 0, left: 10_000 - reserved },
    { used: "0", reserved: expect.stringMatching(/^0\.000\d+$/) },
    { used: 0, reserved: 1, left: 99 },
  ]);
  expect(open.limits).toMatchObject([
    { used: 1, left: 4, resets_at: expect.any(String) },
    { used: reserved, left: 8_000 - reserved, resets_at: expect.any(String) },
    { used: 1, left: 2, resets_at: null },
  ]);
  const resetsIn = Date.parse(open.limits[0].resets_at) - Date.now();
  expect(resetsIn).toBeGreaterThan(0);
  expect(resetsIn).toBeLessThanOrEqual(60_000);

  go.resolve();
  await stream.text();
  await until(() => scene.rows().length === 1, { label: "the row", timeoutMs: WAIT_MS });
  const over = await usage();
  const spent = Number(scene.rows().find((row) => row.token_id === id)?.total_tokens);
  expect(over.quotas).toMatchObject([
    { used: spent, reserved: 0, left: 10_000 - spent },
    { reserved: "0" },
    { used: 1, reserved: 0, left: 99 },
  ]);
  expect(over.limits).toMatchObject([{ used: 1 }, { used: spent }, { used: 0 }]);
  expect(over.by_day).toMatchObject([{ requests: 1, total_tokens: spent }]);
});

test("a token without any has empty lists", async () => {
  const scene = await startTokenScene();
  const usage = await postJson(`${scene.parley.origin}/usage`, undefined, {
    method: "GET",
    headers: bearer(scene.token),
  });
  const lists = ["quotas", "limits", "by_day", "by_model", "last_30_days", "last", "calls"];
  expect(usage.json).toEqual({
    token: { name: expect.any(String), state: "active", expires_at: null },
    ...Object.fromEntries(lists.map((name) => [name, []])),
  });
});

test("the last 30 days and the newest calls are told in brief", async () => {
  const scene = await startTokenScene();
  const headers = bearer(scene.token);
  for (let n = 0; n < 2; n += 1) await postJson(scene.chat, question, { headers });
  const { json } = await postJson(`${scene.parley.origin}/usage`, undefined, {
    method: "GET",
    headers,
  });
  const { last, last_30_days: recent, by_model: byModel, calls } = Object(json);
  expect(recent).toEqual(byModel);
  expect(recent).toEqual([expect.objectContaining({ requests: 2 })]);
  const [{ time: at, model, total_tokens: tokens, cost, outcome }] = calls;
  expect(last).toHaveLength(2);
  expect(last[0]).toEqual({ at, model, tokens, cost, outcome });
});
