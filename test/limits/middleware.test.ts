import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import type { LimitDecision } from "../../src/core/ports.ts";
import type { Limits } from "../../src/limits/decisions.ts";
import { createMemoryLimiter } from "../../src/limits/memory-limiter.ts";
import { createLimitMiddleware } from "../../src/limits/middleware.ts";

interface TestEnv {
  Variables: { decision: LimitDecision };
}

const NO_LIMITS: Limits = { second: 0, minute: 0, hour: 0, day: 0 };

function createApp(limits: Partial<Limits>) {
  const time = { nowMs: 0 };
  const limiter = createMemoryLimiter({
    limits: { ...NO_LIMITS, ...limits },
    clock: { monotonicMs: () => time.nowMs },
  });
  const app = new Hono<TestEnv>();
  app.use(
    createLimitMiddleware<TestEnv>({
      limiter,
      bucketOf: (c) => c.req.header("x-bucket"),
      onDecision: (c, decision) => c.set("decision", decision),
      decisionOf: (c) => c.get("decision"),
      refuse: (c, decision) =>
        c.json(
          {
            bucket: c.req.header("x-bucket"),
            by: decision.refusedBy?.name,
            same: c.var.decision === decision,
          },
          429,
        ),
    }),
  );
  app.get("/", (c) => c.json(c.var.decision));
  app.get("/fails", () => new Response(null, { status: 502 }));
  app.onError((error, c) => c.text(error.message, 500));
  const call = (bucket?: string, path = "/") =>
    app.request(path, bucket === undefined ? {} : { headers: { "x-bucket": bucket } });
  return { call, time, limiter };
}

describe("limit middleware", () => {
  test("an admitted request goes on and knows its decision", async () => {
    const { call } = createApp({ minute: 3 });
    const response = await call("a");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ admitted: true, windows: [{ remaining: 2 }] });
  });

  test("a refused request gets the dialect's answer with its own decision", async () => {
    const { call } = createApp({ second: 5, minute: 1 });
    await call("a");
    const response = await call("a");
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({ bucket: "a", by: "minute", same: true });
  });

  test("500 requests at once with limit 50 admit exactly 50", async () => {
    const { call } = createApp({ hour: 50 });
    const responses = await Promise.all(Array.from({ length: 500 }, () => call("a")));
    const statuses = responses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 429)).toHaveLength(450);
  });

  test("requests that interleave never see the decision of another", async () => {
    const { call } = createApp({ hour: 1_000 });
    const calls = Array.from({ length: 300 }, (_, index) => call(`bucket-${index % 3}`));
    const responses = await Promise.all(calls);
    const decisions = await Promise.all(responses.map((one) => one.json()));
    expect(decisions).toMatchObject(
      Array.from({ length: 300 }, (_, i) => ({
        windows: [{ remaining: 999 - Math.floor(i / 3) }],
      })),
    );
  });

  test("refused and admitted requests that interleave each get their own answer", async () => {
    const { call } = createApp({ hour: 1 });
    const spent = ["spent-0", "spent-1", "spent-2"];
    for (const bucket of spent) await call(bucket);
    const buckets = Array.from({ length: 200 }, (_, i) => spent[i % 4] ?? `fresh-${i}`);
    const responses = await Promise.all(buckets.map((bucket) => call(bucket)));
    expect(responses.map(({ status }) => status)).toEqual(
      buckets.map((bucket) => (spent.includes(bucket) ? 429 : 200)),
    );
    const refused = responses.filter(({ status }) => status === 429);
    expect(await Promise.all(refused.map((one) => one.json()))).toEqual(
      buckets
        .filter((bucket) => spent.includes(bucket))
        .map((bucket) => ({ bucket, by: "hour", same: true })),
    );
  });

  test.each([undefined, ""])(
    "a request with bucket %j is an error and counts nowhere",
    async (bucket) => {
      const { call, limiter } = createApp({ hour: 1 });
      const response = await call(bucket);
      expect(response.status).toBe(500);
      expect(await response.text()).toContain("without a bucket");
      for (const name of ["", "undefined"]) expect(limiter.peek(name).admitted).toBe(true);
    },
  );

  test("a request that fails later has counted", async () => {
    const { call } = createApp({ hour: 1 });
    expect((await call("a", "/fails")).status).toBe(502);
    expect((await call("a")).status).toBe(429);
  });

  test("the package writes no headers of its own", async () => {
    const { call } = createApp({ hour: 1 });
    for (const response of [await call("a"), await call("a")]) {
      const names = [...response.headers.keys()];
      expect(names.filter((name) => /ratelimit|retry/.test(name))).toEqual([]);
    }
  });

  test("a refused client is admitted again when the window has passed", async () => {
    const { call, time } = createApp({ second: 1 });
    await call("a");
    time.nowMs = 999;
    expect((await call("a")).status).toBe(429);
    time.nowMs = 1_000;
    expect((await call("a")).status).toBe(200);
  });
});
