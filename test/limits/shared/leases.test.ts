import { beforeAll, describe, expect, test, vi } from "vitest";
import type { ConcurrencyLimiter, Lease } from "../../../src/core/ports.ts";
import { createSharedLeases } from "../../../src/limits/shared/leases.ts";
import { LEASE_MS } from "../../../src/limits/shared/leases-script.ts";
import type { Script } from "../../../src/limits/shared/store.ts";
import { createVirtualClock } from "../../core/virtual-clock.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startRedis } from "../../support/redis.ts";
import { openSwitchedStore } from "../../support/switched-store.ts";

let port = 0;
let installations = 0;

/** Copies of one installation, each with its own connection, at one time that the test holds. */
async function startCopies(count: number, limit: number) {
  const clock = createVirtualClock();
  let ahead = 0;
  const nowUs = () => Math.round((clock.wallMs() + ahead) * 1_000);
  installations += 1;
  const prefix = `parley:${installations}:`;
  const copies = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const store = await openSwitchedStore({ port, prefix, nowUs });
      const leases = createSharedLeases({ store, copyId: `copy-${index}`, clock });
      store.setCopies(count);
      return { store, leases, streams: leases.limiter("streams", limit) };
    }),
  );
  return {
    copies,
    clock,
    stepClock(ms: number) {
      ahead += ms;
    },
  };
}

async function entered(limiter: ConcurrencyLimiter, bucket = "a"): Promise<Lease> {
  const lease = await limiter.enter(bucket);
  expect(lease.entered).toBe(true);
  return lease;
}

function leave(lease: Lease): void {
  if (lease.entered) lease.leave();
}

/** How many enter when so many try at once. */
async function enterAtOnce(limiter: ConcurrencyLimiter, times: number, bucket = "a") {
  const tried = await Promise.all(Array.from({ length: times }, () => limiter.enter(bucket)));
  return tried.filter((lease) => lease.entered);
}

const ttl: Script = { name: "ttl", lua: "return redis.call('PTTL', KEYS[1])" };

beforeAll(async () => {
  ({ port } = closeAfterFile(await startRedis()));
});

describe("leases of several copies", { tags: "redis" }, () => {
  test("bound open calls by the limit that each brings, and are counted by all", async () => {
    const { copies } = await startCopies(2, 1);
    const [mine, theirs] = copies.map(({ leases }) => leases.openCalls("calls"));
    if (mine === undefined || theirs === undefined) throw new Error("there are two");
    const first = await mine.enter("a", 2);
    expect((await theirs.enter("a", 2)).entered).toBe(true);
    expect((await mine.enter("a", 2)).entered).toBe(false);
    expect((await theirs.enter("a", 3)).entered).toBe(true);
    expect([await mine.count("a"), await theirs.count("b")]).toEqual([{ open: 3 }, { open: 0 }]);
    leave(first);
    // the store is told, and nobody waits for that
    await vi.waitFor(async () => expect(await theirs.count("a")).toEqual({ open: 2 }));
  });

  test("never hold more than the limit together, and exactly as many", async () => {
    const { copies } = await startCopies(4, 10);
    const held = await Promise.all(copies.map(({ streams }) => enterAtOnce(streams, 30)));
    expect(held.flat().length).toBe(10);
    const [first] = copies;
    expect(await first?.streams.count("a")).toEqual({ open: 10 });
    expect(await first?.streams.count("b")).toEqual({ open: 0 });
  });

  test("given back by one copy are free for another", async () => {
    const { copies } = await startCopies(2, 1);
    const [one, other] = copies;
    const lease = await entered(one!.streams);
    expect((await other!.streams.enter("a")).entered).toBe(false);
    leave(lease);
    leave(lease);
    await expect.poll(() => other!.streams.count("a")).toEqual({ open: 0 });
    await entered(other!.streams);
    expect((await one!.streams.enter("a")).entered).toBe(false);
  });

  test("of a killed copy are free after 30 s", async () => {
    const { copies, clock } = await startCopies(2, 1);
    const [killed, other] = copies;
    await entered(killed!.streams);
    clock.advance(LEASE_MS);
    expect((await other!.streams.enter("a")).entered).toBe(false);
    clock.advance(1);
    await entered(other!.streams);
    expect(await other!.streams.count("a")).toEqual({ open: 1 });
  });

  test("that are renewed last", async () => {
    const { copies, clock } = await startCopies(2, 1);
    const [one, other] = copies;
    await entered(one!.streams);
    for (let renewals = 0; renewals < 5; renewals += 1) {
      clock.advance(10_000);
      await one!.leases.renew();
      expect((await other!.streams.enter("a")).entered).toBe(false);
    }
  });

  test("are all renewed, however many they are", async () => {
    const { copies, clock } = await startCopies(2, 0);
    const [one, other] = copies;
    await enterAtOnce(one!.streams, 250);
    await Promise.all(
      Array.from({ length: 250 }, (_, index) => entered(one!.streams, `bucket-${index}`)),
    );
    const before = one!.store.sent();
    clock.advance(20_000);
    await one!.leases.renew();
    expect(one!.store.sent() - before).toBe(253);
    clock.advance(20_000);
    expect(await other!.streams.count("a")).toEqual({ open: 250 });
    expect(await other!.streams.count("bucket-249")).toEqual({ open: 1 });
  });

  test("that are young are not renewed", async () => {
    const { copies, clock } = await startCopies(1, 0);
    const [one] = copies;
    await enterAtOnce(one!.streams, 5);
    clock.advance(4_000);
    const before = one!.store.sent();
    await one!.leases.renew();
    expect(one!.store.sent()).toBe(before);
  });

  test("are taken again by a copy that slept, over the limit and counted", async () => {
    const { copies, clock } = await startCopies(2, 1);
    const [slept, other] = copies;
    const lease = await entered(slept!.streams);
    clock.advance(60_000);
    const taken = await entered(other!.streams);
    await slept!.leases.renew();
    expect(await other!.streams.count("a")).toEqual({ open: 2 });
    leave(taken);
    await expect.poll(() => other!.streams.count("a")).toEqual({ open: 1 });
    expect((await other!.streams.enter("a")).entered).toBe(false);
    leave(lease);
    await expect.poll(() => other!.streams.count("a")).toEqual({ open: 0 });
    await entered(slept!.streams);
  });

  test("end in time where the store's clock went back", async () => {
    const { copies, clock, stepClock } = await startCopies(2, 1);
    const [killed, other] = copies;
    await entered(killed!.streams);
    stepClock(-3_600_000);
    expect((await other!.streams.enter("a")).entered).toBe(false);
    clock.advance(LEASE_MS + 1);
    await entered(other!.streams);
  });

  test("leave no key behind", async () => {
    const { copies } = await startCopies(1, 1);
    const [one] = copies;
    await entered(one!.streams);
    const left = await one!.store.connection.run(ttl, [one!.store.key("streams", "a")], []);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(LEASE_MS);
  });
});

describe("while the store is away", { tags: "redis" }, () => {
  test("each copy has its part of the limit, rounded up, and decides at once", async () => {
    const { copies } = await startCopies(3, 10);
    const [one] = copies;
    await entered(one!.streams);
    one!.store.goAway();
    const tried = Array.from({ length: 10 }, () => one!.streams.enter("a"));
    expect(tried.filter((lease) => !(lease instanceof Promise) && lease.entered).length).toBe(3);
    expect(await one!.streams.count("a")).toEqual({ open: 4 });
  });

  test("what was opened is added on return, over the limit if need be", async () => {
    const { copies } = await startCopies(2, 3);
    const [one, other] = copies;
    one!.store.goAway();
    await enterAtOnce(one!.streams, 2);
    await enterAtOnce(other!.streams, 3);
    await one!.store.comeBack();
    expect(await other!.streams.count("a")).toEqual({ open: 5 });
  });

  test("what was opened and closed never reaches the store", async () => {
    const { copies } = await startCopies(2, 1);
    const [one, other] = copies;
    one!.store.goAway();
    leave(await entered(one!.streams));
    await one!.store.comeBack();
    expect(one!.store.sent()).toBe(0);
    expect(await other!.streams.count("a")).toEqual({ open: 0 });
  });

  test("what was closed leaves the store on return", async () => {
    const { copies } = await startCopies(2, 1);
    const [one, other] = copies;
    const lease = await entered(one!.streams);
    one!.store.goAway();
    leave(lease);
    // the store has not answered yet
    await Promise.resolve();
    await one!.store.comeBack();
    await entered(other!.streams);
  });
});

describe("a store that answers too late", { tags: "redis" }, () => {
  test("has what it admitted and the copy refused given back", async () => {
    const { copies } = await startCopies(3, 6);
    const [one, other] = copies;
    const over = one!.store.beLate();
    const held = await enterAtOnce(one!.streams, 6);
    expect(held.length).toBe(2);
    await over();
    await expect.poll(() => other!.streams.count("a")).toEqual({ open: 2 });
  });

  test("counts once what both admitted", async () => {
    const { copies } = await startCopies(2, 6);
    const [one, other] = copies;
    const over = one!.store.beLate();
    const [lease] = await enterAtOnce(one!.streams, 1);
    await over();
    await one!.leases.renew();
    expect(await other!.streams.count("a")).toEqual({ open: 1 });
    leave(lease!);
    await expect.poll(() => other!.streams.count("a")).toEqual({ open: 0 });
  });

  test("gets a lease that it refused and the copy granted with the next renewal", async () => {
    const { copies } = await startCopies(2, 2);
    const [one, other] = copies;
    await enterAtOnce(other!.streams, 2);
    const over = one!.store.beLate();
    await entered(one!.streams);
    await over();
    expect(await other!.streams.count("a")).toEqual({ open: 2 });
    await one!.leases.renew();
    expect(await other!.streams.count("a")).toEqual({ open: 3 });
  });

  test("has a lease that was closed meanwhile taken out", async () => {
    const { copies } = await startCopies(2, 2);
    const [one, other] = copies;
    const lease = await entered(one!.streams);
    const over = one!.store.beLate();
    leave(lease);
    leave(await entered(one!.streams));
    await over();
    await one!.leases.renew();
    expect(await other!.streams.count("a")).toEqual({ open: 0 });
  });
});
