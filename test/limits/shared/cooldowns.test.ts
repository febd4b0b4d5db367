import { beforeAll, describe, expect, test } from "vitest";
import { createBeat } from "../../../src/limits/shared/beat.ts";
import { createSharedCooldowns } from "../../../src/limits/shared/cooldowns.ts";
import type { Reply, Script } from "../../../src/limits/shared/store.ts";
import { createVirtualClock } from "../../core/virtual-clock.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startRedis } from "../../support/redis.ts";
import { openSwitchedStore } from "../../support/switched-store.ts";

let port = 0;
let installations = 0;

beforeAll(async () => {
  ({ port } = closeAfterFile(await startRedis()));
});

/** Copies with their beats, at one time that the test holds. */
async function startCopies(count: number) {
  const clock = createVirtualClock();
  let stepMs = 0;
  const nowUs = () => Math.round((clock.wallMs() + stepMs) * 1_000);
  installations += 1;
  const prefix = `parley:${installations}:`;
  const copies = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const store = await openSwitchedStore({ port, prefix, nowUs });
      const beat = createBeat({ copyId: `copy-${index}`, key: store.key });
      const cooldowns = createSharedCooldowns({ store, beat, clock });
      return {
        store,
        ...beat,
        ...cooldowns,
        async hear() {
          const reply = await store.runNow(beat.script, beat.keys, beat.args());
          beat.read(reply as Reply);
        },
        takeLeave: () => store.run(beat.script, beat.keys, beat.leave()),
      };
    }),
  );
  const [one, other] = copies as [(typeof copies)[0], (typeof copies)[0]];
  return {
    one,
    other,
    copies,
    clock,
    stepClock(ms: number) {
      stepMs += ms;
    },
    empty: () => one.store.connection.run(empty, [...one.keys], []),
  };
}

const empty: Script = { name: "empty", lua: "return redis.call('DEL', unpack(KEYS))" };
const fields: Script = { name: "fields", lua: "return redis.call('HLEN', KEYS[1])" };

describe("the copies", { tags: "redis" }, () => {
  test("are counted by their beats, and no more after 5 s without one", async () => {
    const { copies, one, clock } = await startCopies(3);
    expect(one.copies()).toBe(null);
    for (const copy of copies) await copy.hear();
    expect(copies.map((copy) => copy.copies())).toEqual([1, 2, 3]);
    clock.advance(4_999);
    await one.hear();
    expect(one.copies()).toBe(3);
    clock.advance(1);
    for (let beats = 0; beats < 6; beats += 1) await one.hear();
    expect(one.copies()).toBe(1);
  });

  test("that end in an orderly way are no longer counted", async () => {
    const { one, other } = await startCopies(2);
    await other.hear();
    await other.takeLeave();
    await one.hear();
    expect(one.copies()).toBe(1);
  });

  test("are as many as before in a store that came back empty, for six beats", async () => {
    const { copies, one, empty } = await startCopies(3);
    for (const copy of copies.toReversed()) await copy.hear();
    expect(one.copies()).toBe(3);
    await empty();
    for (let beats = 0; beats < 5; beats += 1) await one.hear();
    expect(one.copies()).toBe(3);
    await one.hear();
    expect(one.copies()).toBe(1);
  });

  test("are counted right where the store's clock went back", async () => {
    const { one, other, clock, stepClock } = await startCopies(2);
    await other.hear();
    stepClock(-3_600_000);
    await one.hear();
    expect(one.copies()).toBe(2);
    clock.advance(5_000);
    for (let beats = 0; beats < 6; beats += 1) await one.hear();
    expect(one.copies()).toBe(1);
  });
});

describe("a key's rest", { tags: "redis" }, () => {
  test("holds at once here and with the next beat elsewhere, until it is over", async () => {
    const { one, other, clock } = await startCopies(2);
    one.start("k", 10_000);
    expect(one.remainingMs("k")).toBe(10_000);
    expect(other.remainingMs("k")).toBe(0);
    clock.advance(1_000);
    await one.hear();
    await other.hear();
    expect([one, other].map((copy) => copy.remainingMs("k"))).toEqual([9_000, 9_000]);
    clock.advance(9_000);
    expect(other.remainingMs("k")).toBe(0);
    await other.hear();
    expect(await one.store.connection.run(fields, [one.keys[1]!], [])).toBe(0);
  });

  test("ends everywhere when any copy ends it", async () => {
    const { one, other } = await startCopies(2);
    one.start("k", 10_000);
    await one.hear();
    await other.hear();
    other.end("k");
    expect(other.remainingMs("k")).toBe(0);
    await other.hear();
    await one.hear();
    expect([one, other].map((copy) => copy.remainingMs("k"))).toEqual([0, 0]);
  });

  test("is not undone by a beat that was under way when it changed", async () => {
    const { one } = await startCopies(1);
    const started = one.hear();
    one.start("k", 10_000);
    await started;
    expect(one.remainingMs("k")).toBe(10_000);
    await one.hear();
    const ended = one.hear();
    one.end("k");
    await ended;
    expect(one.remainingMs("k")).toBe(0);
    await one.hear();
    expect(one.remainingMs("k")).toBe(0);
  });

  test("started while the store is away is added on return", async () => {
    const { one, other, clock } = await startCopies(2);
    one.store.goAway();
    one.start("k", 10_000);
    one.start("short", 1_000);
    clock.advance(1_000);
    expect(one.remainingMs("k")).toBe(9_000);
    await one.store.comeBack(one.hear);
    await other.hear();
    expect(other.remainingMs("k")).toBe(9_000);
    expect(other.remainingMs("short")).toBe(0);
  });

  test("is added again to a store that lost it, and only by whom it is", async () => {
    const { one, other, empty } = await startCopies(2);
    one.start("k", 10_000);
    await one.hear();
    await other.hear();
    for (const { store } of [one, other]) store.goAway();
    await empty();
    await other.store.comeBack(other.hear);
    expect(other.remainingMs("k")).toBe(0);
    await one.store.comeBack(one.hear);
    await other.hear();
    await one.hear();
    expect([one, other].map((copy) => copy.remainingMs("k"))).toEqual([10_000, 10_000]);
  });

  test("whose script was late is written again", async () => {
    const { one, other, empty } = await startCopies(2);
    const over = one.store.beLate();
    one.start("k", 10_000);
    await over();
    await empty();
    await one.hear();
    expect(one.remainingMs("k")).toBe(10_000);
    await other.hear();
    expect(other.remainingMs("k")).toBe(10_000);
  });

  test("lasts no longer where the store's clock went back", async () => {
    const { one, other, clock, stepClock } = await startCopies(2);
    one.start("k", 10_000);
    await one.hear();
    stepClock(-3_600_000);
    await other.hear();
    expect(other.remainingMs("k")).toBe(10_000);
    clock.advance(10_000);
    await other.hear();
    expect(other.remainingMs("k")).toBe(0);
  });

  test("is kept for a thousand keys, not for more", async () => {
    const { one, other } = await startCopies(2);
    for (let index = 0; index < 1_200; index += 1) one.start(`k${index}`, 10_000);
    await one.hear();
    await other.hear();
    expect(one.remainingMs("k0")).toBe(10_000);
    expect(other.remainingMs("k999")).toBe(10_000);
    expect(other.remainingMs("k1000")).toBe(0);
  });
});
