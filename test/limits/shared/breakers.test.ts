import { describe, expect, test } from "vitest";
import type { Breakers } from "../../../src/core/ports.ts";
import { createMemoryBreakers } from "../../../src/limits/memory-breakers.ts";
import { createBeat } from "../../../src/limits/shared/beat.ts";
import { createSharedBreakers } from "../../../src/limits/shared/breakers.ts";
import type { Reply, Script } from "../../../src/limits/shared/store.ts";
import { createVirtualClock, type VirtualClock } from "../../core/virtual-clock.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startRedis } from "../../support/redis.ts";
import { openSwitchedStore } from "../../support/switched-store.ts";

let installations = 0;

let redis: ReturnType<typeof startRedis> | undefined;

interface Chance {
  random: number;
}

/** Copies with their beats, at one time that the test holds; rests are what they are on average. */
async function startCopies(count: number, clock: VirtualClock, chance: Chance = { random: 0.5 }) {
  redis ??= startRedis().then(closeAfterFile);
  const { port } = await redis;
  let stepMs = 0;
  const nowUs = () => Math.round((clock.wallMs() + stepMs) * 1_000);
  installations += 1;
  const prefix = `parley:${installations}:`;
  const copies = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const store = await openSwitchedStore({ port, prefix, nowUs });
      const copyId = `copy-${index}`;
      const beat = createBeat({ copyId, key: store.key });
      const random = () => chance.random;
      const breakers = createSharedBreakers({ store, beat, clock, copyId, random });
      const hear = async () => {
        beat.read((await store.runNow(beat.script, beat.keys, beat.args())) as Reply);
        // what the beat has caused is sent before this
        await store.runNow(nothing, [], []);
      };
      return { store, breakers, hear, keys: beat.keys };
    }),
  );
  const [one, other] = copies as [(typeof copies)[0], (typeof copies)[0]];
  return {
    one,
    other,
    copies,
    empty: () => one.store.connection.run(empty, [...one.keys], []),
    stepClock(ms: number) {
      stepMs += ms;
    },
  };
}

const nothing: Script = { name: "nothing", lua: "return 1" };
const empty: Script = { name: "empty", lua: "return redis.call('DEL', unpack(KEYS))" };

interface Scene {
  readonly breakers: Breakers;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  /** Time passes, and a beat. */
  pass(ms: number): Promise<void>;
}

const scenes: Readonly<Record<string, () => Promise<Scene>>> = {
  async memory() {
    const clock = createVirtualClock();
    const chance = { random: 0.5 };
    const breakers = createMemoryBreakers(clock, () => chance.random);
    return { breakers, clock, chance, pass: async (ms) => clock.advance(ms) };
  },
  async store() {
    const clock = createVirtualClock();
    const chance = { random: 0.5 };
    const { one } = await startCopies(1, clock, chance);
    const pass = async (ms: number) => {
      await one.hear();
      clock.advance(ms);
      await one.hear();
    };
    return { breakers: one.breakers, clock, chance, pass };
  },
  async "the copy alone, while the store is away"() {
    const clock = createVirtualClock();
    const chance = { random: 0.5 };
    const { one } = await startCopies(1, clock, chance);
    one.store.goAway();
    return { breakers: one.breakers, clock, chance, pass: async (ms) => clock.advance(ms) };
  },
};

/** A call succeeds or fails, `+` or `-`; a probe does, `o` or `x`. */
async function happen(breakers: Breakers, outcomes: string, id = "t"): Promise<void> {
  for (const outcome of outcomes) {
    const asProbe = "ox".includes(outcome);
    await ("+o".includes(outcome) ? breakers.succeeded(id, asProbe) : breakers.failed(id, asProbe));
  }
}

const stateOf = async (breakers: Breakers, id = "t") => (await breakers.state(id)).state;

for (const [place, start] of Object.entries(scenes)) {
  const options = place === "memory" ? {} : { tags: "redis" };
  describe(`a breaker by ${place}`, options, () => everyBreaker(start));
}

function everyBreaker(start: () => Promise<Scene>): void {
  test("opens after five failures in a row, for 5 s", async () => {
    const { breakers, pass } = await start();
    expect(await stateOf(breakers)).toBe("closed");
    await happen(breakers, "----");
    expect(await stateOf(breakers)).toBe("closed");
    expect(breakers.remainingMs("t")).toBe(0);
    await happen(breakers, "-");
    expect(breakers.remainingMs("t")).toBe(5_000);
    await pass(4_999);
    expect(await stateOf(breakers)).toBe("open");
    expect(breakers.remainingMs("t")).toBe(1);
    expect(await stateOf(breakers, "other")).toBe("closed");
  });

  test("stays closed where a success comes between", async () => {
    const { breakers } = await start();
    await happen(breakers, "----+----+----");
    expect(await stateOf(breakers)).toBe("closed");
  });

  test("opens when half of at least twenty calls fail, and not of nineteen", async () => {
    const { breakers } = await start();
    await happen(breakers, "+-".repeat(9));
    await happen(breakers, "-");
    expect(await stateOf(breakers)).toBe("closed");
    await happen(breakers, "-");
    expect(await stateOf(breakers)).toBe("open");
  });

  test("stays closed where less than half fail", async () => {
    const { breakers } = await start();
    await happen(breakers, "+-+".repeat(20));
    expect(await stateOf(breakers)).toBe("closed");
  });

  test("counts no call that is older than 30 s", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "+-".repeat(9));
    await pass(30_000);
    await happen(breakers, "+--");
    expect(await stateOf(breakers)).toBe("closed");
    await happen(breakers, "+-".repeat(8));
    await happen(breakers, "-");
    expect(await stateOf(breakers)).toBe("open");
  });

  test("lets one call probe after its rest, and closes when that succeeds", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "-----");
    await pass(5_000);
    const states = await Promise.all([1, 2, 3].map(() => stateOf(breakers)));
    expect(states).toEqual(["probe", "open", "open"]);
    await happen(breakers, "+-");
    expect(await stateOf(breakers)).toBe("open");
    await happen(breakers, "o");
    expect(await stateOf(breakers)).toBe("closed");
    await happen(breakers, "----");
    expect(await stateOf(breakers)).toBe("closed");
  });

  test("rests for twice as long after each probe that fails, up to 5 min, and anew after one that succeeds", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "-----");
    const rests: number[] = [];
    for (let probes = 0; probes < 8; probes += 1) {
      rests.push(breakers.remainingMs("t") / 1_000);
      await pass(breakers.remainingMs("t"));
      expect(await stateOf(breakers)).toBe("probe");
      await happen(breakers, "x");
    }
    expect(rests).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
    await pass(300_000);
    expect(await stateOf(breakers)).toBe("probe");
    await happen(breakers, "o-----");
    expect(breakers.remainingMs("t")).toBe(5_000);
  });

  test.each([
    [0, 4_000],
    [1, 6_000],
  ])("rests shorter or longer by up to a fifth: at %d for %d ms", async (random, rest) => {
    const { breakers, chance } = await start();
    chance.random = random;
    await happen(breakers, "-----");
    expect(breakers.remainingMs("t")).toBe(rest);
  });

  test("hears nothing of calls that were asked before it opened", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "-----+");
    expect(await stateOf(breakers)).toBe("open");
    await happen(breakers, "-");
    expect(breakers.remainingMs("t")).toBe(5_000);
    await pass(5_000);
    await happen(breakers, "+-");
    expect(await stateOf(breakers)).toBe("probe");
  });

  test("takes a probe that tells nothing for 30 s for a failure", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "-----");
    await pass(5_000);
    expect(await stateOf(breakers)).toBe("probe");
    await pass(29_999);
    expect(await stateOf(breakers)).toBe("open");
    await pass(1);
    expect(await stateOf(breakers)).toBe("open");
    expect(breakers.remainingMs("t")).toBe(10_000);
    await happen(breakers, "x");
    expect(breakers.remainingMs("t")).toBe(10_000);
    await pass(10_000);
    expect(await stateOf(breakers)).toBe("probe");
    await pass(35_000);
    expect(await stateOf(breakers)).toBe("open");
    expect(breakers.remainingMs("t")).toBe(15_000);
  });

  test("closes when a probe succeeds after all", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "-----");
    await pass(5_000);
    expect(await stateOf(breakers)).toBe("probe");
    await pass(31_000);
    expect(await stateOf(breakers)).toBe("open");
    await happen(breakers, "o");
    expect(await stateOf(breakers)).toBe("closed");
    await happen(breakers, "----");
    expect(await stateOf(breakers)).toBe("closed");
  });

  test("rests as long as before when the client of a probe leaves", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "-----");
    await pass(5_000);
    expect(await stateOf(breakers)).toBe("probe");
    await pass(3_000);
    await breakers.released("t", true);
    expect(breakers.remainingMs("t")).toBe(5_000);
    await happen(breakers, "ox");
    expect(breakers.remainingMs("t")).toBe(5_000);
    await pass(5_000);
    expect(await stateOf(breakers)).toBe("probe");
    await happen(breakers, "x");
    expect(breakers.remainingMs("t")).toBe(10_000);
  });

  test("lets the next call probe when a probe did not ask", async () => {
    const { breakers, pass } = await start();
    await happen(breakers, "-----");
    await breakers.released("t", false);
    expect(breakers.remainingMs("t")).toBe(5_000);
    await pass(5_000);
    expect(await stateOf(breakers)).toBe("probe");
    await breakers.released("t", false);
    expect(breakers.remainingMs("t")).toBe(0);
    expect(await stateOf(breakers)).toBe("probe");
  });
}

describe("breakers of several copies", { tags: "redis" }, () => {
  test("count together", async () => {
    const { one, other } = await startCopies(2, createVirtualClock());
    await happen(one.breakers, "---");
    await happen(other.breakers, "--");
    expect(await stateOf(other.breakers)).toBe("open");
    expect(await stateOf(one.breakers)).toBe("closed");
    await one.hear();
    expect(await stateOf(one.breakers)).toBe("open");
    expect(one.breakers.remainingMs("t")).toBe(5_000);
  });

  test("have a row broken by a success of any copy that has heard of it", async () => {
    const { one, other } = await startCopies(2, createVirtualClock());
    await happen(one.breakers, "----");
    await other.hear();
    await happen(other.breakers, "+");
    await happen(one.breakers, "-");
    expect(await stateOf(one.breakers)).toBe("closed");
  });

  test("count the successes of all copies against the failures of one", async () => {
    const { one, other } = await startCopies(2, createVirtualClock());
    await happen(other.breakers, "+".repeat(12));
    await other.hear();
    for (let failures = 0; failures < 11; failures += 1) await happen(one.breakers, "+-");
    expect(await stateOf(one.breakers)).toBe("closed");
    await happen(one.breakers, "-");
    expect(await stateOf(one.breakers)).toBe("closed");
    await happen(one.breakers, "-");
    expect(await stateOf(one.breakers)).toBe("closed");
  });

  test("let one call of all copies probe, whose success closes all", async () => {
    const clock = createVirtualClock();
    const { copies, one } = await startCopies(4, clock);
    await happen(one.breakers, "-----");
    for (const { hear } of copies) await hear();
    clock.advance(5_000);
    const asked = await Promise.all(copies.map(({ breakers }) => stateOf(breakers)));
    expect(asked.toSorted()).toEqual(["open", "open", "open", "probe"]);
    const winner = copies[asked.indexOf("probe")]!;
    for (const copy of copies) if (copy !== winner) await happen(copy.breakers, "+-");
    for (const { hear, breakers } of copies) {
      await hear();
      expect(await stateOf(breakers)).toBe("open");
    }
    await happen(winner.breakers, "o");
    for (const { hear, breakers } of copies) {
      await hear();
      expect(await stateOf(breakers)).toBe("closed");
    }
  });

  test("are left to the probe by calls of a copy that has heard of nothing", async () => {
    const clock = createVirtualClock();
    const { one, other } = await startCopies(2, clock);
    await happen(one.breakers, "-----");
    clock.advance(5_000);
    expect(await stateOf(one.breakers)).toBe("probe");
    await happen(other.breakers, "-");
    expect(await stateOf(other.breakers)).toBe("open");
    await one.hear();
    expect(one.breakers.remainingMs("t")).toBe(30_000);
    await happen(one.breakers, "o");
    await other.hear();
    expect(await stateOf(other.breakers)).toBe("closed");
  });

  test("of a killed copy's probe are probed by another after 30 s and a rest", async () => {
    const clock = createVirtualClock();
    const { one, other } = await startCopies(2, clock);
    await happen(one.breakers, "-----");
    await other.hear();
    clock.advance(5_000);
    expect(await stateOf(one.breakers)).toBe("probe");
    clock.advance(29_999);
    expect(await stateOf(other.breakers)).toBe("open");
    clock.advance(10_001);
    expect(await stateOf(other.breakers)).toBe("probe");
    // the copy slept: what its probe tells now is too late
    await happen(one.breakers, "o");
    expect(await stateOf(one.breakers)).toBe("open");
  });

  test("have what opened while the store was away added on return", async () => {
    const clock = createVirtualClock();
    const { one, other } = await startCopies(2, clock);
    one.store.goAway();
    await happen(one.breakers, "-----");
    clock.advance(1_000);
    await one.store.comeBack(one.hear);
    for (const copy of [one, other]) {
      await copy.hear();
      expect(await stateOf(copy.breakers)).toBe("open");
      expect(copy.breakers.remainingMs("t")).toBe(4_000);
    }
  });

  test("are open again in a store that lost them", async () => {
    const { one, other, empty } = await startCopies(2, createVirtualClock());
    await happen(one.breakers, "-----");
    one.store.goAway();
    await empty();
    await one.store.comeBack(one.hear);
    await other.hear();
    expect(await stateOf(other.breakers)).toBe("open");
  });

  test("stay closed where another copy has closed them meanwhile", async () => {
    const clock = createVirtualClock();
    const { one, other } = await startCopies(2, clock);
    await happen(one.breakers, "-----");
    await other.hear();
    clock.advance(5_000);
    expect(await stateOf(one.breakers)).toBe("probe");
    await happen(one.breakers, "x");
    one.store.goAway();
    await other.hear();
    clock.advance(10_000);
    expect(await stateOf(other.breakers)).toBe("probe");
    await happen(other.breakers, "o");
    await one.store.comeBack(one.hear);
    await one.hear();
    expect(await stateOf(one.breakers)).toBe("closed");
  });

  test("rest no longer where the store's clock went back", async () => {
    const clock = createVirtualClock();
    const { one, other, stepClock } = await startCopies(2, clock);
    await happen(one.breakers, "-----");
    stepClock(-3_600_000);
    await other.hear();
    expect(other.breakers.remainingMs("t")).toBe(5_000);
    clock.advance(5_000);
    expect(await stateOf(other.breakers)).toBe("probe");
  });
});
