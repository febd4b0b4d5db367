import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Token } from "../../../src/core/accounts/accounts.ts";
import type { Limits } from "../../../src/limits/decisions.ts";
import { createSharedAmounts } from "../../../src/limits/shared/amounts.ts";
import {
  createSharedLimiter,
  createSharedTokenLimiter,
} from "../../../src/limits/shared/limiter.ts";
import { startRedis } from "../../support/redis.ts";
import { NO_LIMITS } from "../../support/reference-windows.ts";
import { openTestStore } from "../../support/shared-store.ts";

const until = (what: () => void | Promise<void>) =>
  vi.waitFor(what, { timeout: 6_000, interval: 20 });

async function openServer(port?: number) {
  const server = await startRedis(port === undefined ? {} : { port });
  onTestFinished(() => server.close());
  return server;
}

/** One copy of several. */
async function openCopy(port: number, copies = 1) {
  const count = { copies };
  const { store } = await openTestStore({ port, otherwiseCopies: () => count.copies });
  const options = {
    store,
    clock: { monotonicMs: () => performance.now() },
    refusesAlone: false,
  };
  const limiterWith = (limits: Partial<Limits>, refusesAlone = false) =>
    createSharedLimiter({ ...NO_LIMITS, ...limits }, { ...options, refusesAlone });
  return { store, count, options, limiterWith };
}

type Taking = ReturnType<typeof createSharedLimiter>;

async function admitted(limiter: Taking, calls: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: calls }, () => limiter.take("a")));
  return all.filter((one) => one.admitted).length;
}

async function remaining(limiter: Taking): Promise<number | undefined> {
  return (await limiter.peek("a")).windows[0]?.remaining;
}

const token = (id: string, limits: Token["limits"]) => ({ id, limits }) as Token; // all that is read

describe("copies that share a store", { tags: "redis" }, () => {
  test("count together, and give back together", async () => {
    const { port } = await openServer();
    const [one, other] = await Promise.all([openCopy(port), openCopy(port)]);
    const [some, others] = [one.limiterWith({ hour: 10 }), other.limiterWith({ hour: 10 })];
    const { entry } = await some.take("a");
    expect(await admitted(others, 20)).toBe(9);
    await others.release("a", entry ?? 0);
    expect(await admitted(some, 20)).toBe(1);
  });

  test("count tokens together, apart from addresses of the same name", async () => {
    const { port } = await openServer();
    const [one, other] = await Promise.all([openCopy(port), openCopy(port)]);
    const some = createSharedTokenLimiter(one.options);
    const others = createSharedTokenLimiter(other.options);
    await one.limiterWith({ hour: 1 }).take("a");
    const { entry } = await some.take(token("a", { hour: 1 }));
    expect((await others.take(token("a", { hour: 1 }))).admitted).toBe(false);
    await others.release(token("a", { hour: 1 }), entry ?? 0);
    expect((await others.take(token("a", { hour: 1 }))).admitted).toBe(true);
    expect(await some.take(token("a", {}))).toMatchObject({ admitted: true, windows: [] });
  });

  test("without limits nobody asks the store", async () => {
    const server = await openServer();
    const { limiterWith } = await openCopy(server.port);
    server.signal("SIGSTOP");
    expect(limiterWith({}).take("a")).toMatchObject({ admitted: true, windows: [] });
  });
});

describe("copies whose store is away", { tags: "redis" }, () => {
  test("each have their part of a limit, rounded up, by the copies of the moment", async () => {
    const server = await openServer();
    const { store, count, limiterWith } = await openCopy(server.port, 4);
    const limiter = limiterWith({ hour: 10 });
    await server.close();
    await until(() => expect(store.isAway()).toBe(true));
    expect(await admitted(limiter, 20)).toBe(3);
    count.copies = 2;
    expect(await admitted(limiter, 20)).toBe(2);
    count.copies = 10;
    expect(await limiter.take("a")).toMatchObject({
      admitted: false,
      windows: [{ limit: 1, remaining: 0 }],
    });
    // all but the newest call must leave, and that too
    const { retryAfterMs } = await limiter.take("a");
    expect(retryAfterMs).toBeGreaterThan(3_590_000);
    count.copies = 2;
    const { entry } = await limiter.take("b");
    await limiter.release("b", entry ?? 0);
    expect((await limiter.peek("b")).windows).toMatchObject([{ remaining: 5 }]);
  });

  test("tell the store what they counted when it is back, and go on with it", async () => {
    const server = await openServer();
    const one = await openCopy(server.port, 2);
    const limiter = one.limiterWith({ hour: 10 });
    const tokens = createSharedTokenLimiter(one.options);
    await server.close();
    await until(() => expect(one.store.isAway()).toBe(true));
    expect(await admitted(limiter, 20)).toBe(5);
    const { entry } = await tokens.take(token("t", { day: 9 }));
    await tokens.take(token("t", { day: 9 }));
    await tokens.release(token("t", { day: 9 }), entry ?? 0);
    await openServer(server.port);
    await until(() => expect(one.store.isAway()).toBe(false));
    const other = await openCopy(server.port, 2);
    expect(await remaining(other.limiterWith({ hour: 10 }))).toBe(5);
    const counted = await createSharedTokenLimiter(other.options).take(token("t", { day: 9 }));
    expect(counted.windows).toMatchObject([{ remaining: 7 }]);
  });

  test("get no second part from a store that goes again", async () => {
    const server = await openServer();
    const { store, limiterWith } = await openCopy(server.port, 2);
    const limiter = limiterWith({ hour: 10 });
    await server.close();
    await until(() => expect(store.isAway()).toBe(true));
    expect(await admitted(limiter, 20)).toBe(5);
    const again = await openServer(server.port);
    await until(() => expect(store.isAway()).toBe(false));
    await again.close();
    await until(() => expect(store.isAway()).toBe(true));
    expect(await admitted(limiter, 20)).toBe(0);
  });

  test("keep to their part until all are back, as the store may have come back empty", async () => {
    const server = await openServer();
    const [one, other] = await Promise.all([openCopy(server.port, 2), openCopy(server.port, 2)]);
    const clock = { ms: 0 };
    const options = { ...one.options, clock: { monotonicMs: () => clock.ms } };
    const some = createSharedLimiter({ ...NO_LIMITS, hour: 10 }, options);
    expect(await admitted(some, 20)).toBe(10);
    await server.close();
    await until(() => expect(one.store.isAway()).toBe(true));
    expect(await admitted(some, 3)).toBe(3);
    await openServer(server.port);
    await until(() => expect(one.store.isAway()).toBe(false));
    // the other's part, which the store may not know of yet, is not for this copy
    const others = other.limiterWith({ hour: 10 });
    await until(() => expect(other.store.isAway()).toBe(false));
    expect(await admitted(some, 20)).toBe(2);
    clock.ms += 5_000;
    expect(await admitted(some, 20)).toBe(5);
    expect(await admitted(others, 20)).toBe(0);
  });

  test("refuse, where that is the setting, and say why", async () => {
    const server = await openServer();
    const { store, options, limiterWith } = await openCopy(server.port);
    const limiter = limiterWith({ hour: 10 }, true);
    expect((await limiter.take("a")).admitted).toBe(true);
    await server.close();
    await until(() => expect(store.isAway()).toBe(true));
    const refused = { admitted: false, storeAway: true, retryAfterMs: 1_000, entry: null };
    expect(await limiter.take("a")).toMatchObject(refused);
    expect(await limiter.peek("a")).toMatchObject(refused);
    const amounts = createSharedAmounts({ ...options, refusesAlone: true });
    expect(await amounts.take("a", 10, 1)).toMatchObject(refused);
    expect(await amounts.take("a", 0, 1)).toMatchObject({ admitted: true });
  });

  test("do not call an amount impossible that only their part is too small for", async () => {
    const server = await openServer();
    const { store, options } = await openCopy(server.port, 4);
    const amounts = createSharedAmounts(options);
    await server.close();
    await until(() => expect(store.isAway()).toBe(true));
    expect((await amounts.take("a", 100, 26)).retryAfterMs).toBe(1_000);
    expect((await amounts.take("a", 100, 101)).retryAfterMs).toBe(Number.POSITIVE_INFINITY);
    const { entry } = await amounts.take("a", 100, 25);
    await amounts.settle("a", entry ?? 0, 25, 5);
    expect((await amounts.take("a", 100, 20)).admitted).toBe(true);
  });
});

describe("a store that decides too late", { tags: "redis" }, () => {
  test("does not count twice what the copy admitted, too", async () => {
    const server = await openServer();
    const { store, limiterWith } = await openCopy(server.port);
    const limiter = limiterWith({ hour: 10 });
    server.signal("SIGSTOP");
    expect(await limiter.take("a")).toMatchObject({ admitted: true, entry: expect.any(String) });
    server.signal("SIGCONT");
    await until(async () => expect(await remaining(limiter)).toBe(9));
    expect(store.isAway()).toBe(false);
    // the copy has nothing to add when the store goes and comes back
    server.signal("SIGSTOP");
    await Promise.all([1, 2, 3].map(() => limiter.peek("b")));
    await until(() => expect(store.isAway()).toBe(true));
    server.signal("SIGCONT");
    await until(() => expect(store.isAway()).toBe(false));
    expect(await remaining(limiter)).toBe(9);
  });

  test("gives back what the copy refused", async () => {
    const server = await openServer();
    const { limiterWith } = await openCopy(server.port, 4);
    const limiter = limiterWith({ hour: 4 });
    server.signal("SIGSTOP");
    const both = await Promise.all([limiter.take("a"), limiter.take("a")]);
    expect(both.map((one) => one.admitted)).toEqual([true, false]);
    server.signal("SIGCONT");
    await until(async () => expect(await remaining(limiter)).toBe(3));
    expect(await admitted(limiter, 10)).toBe(3);
  });

  test("learns what the copy admitted over the limit", async () => {
    const server = await openServer();
    const { limiterWith } = await openCopy(server.port);
    const limiter = limiterWith({ hour: 1 });
    await limiter.take("a");
    server.signal("SIGSTOP");
    expect((await limiter.take("a")).admitted).toBe(true);
    server.signal("SIGCONT");
    await until(async () => expect(await remaining(limiterWith({ hour: 10 }))).toBe(8));
  });
});
