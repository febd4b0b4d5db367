import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CooldownReason, createKeyRing } from "../../../src/core/call/key-ring.ts";
import { createMemoryCooldowns } from "../../../src/limits/memory-cooldowns.ts";
import { createVirtualClock } from "../virtual-clock.ts";

const none: ReadonlySet<string> = new Set();
const afterLimitMs = 10_000;
const afterRefusalMs = 600_000;
const maxCooldownMs = 3_600_000;

function createRing(...keys: string[]) {
  const clock = createVirtualClock();
  const ring = createKeyRing(keys, createMemoryCooldowns(clock), (key) => key);
  const take = (count: number) => Array.from({ length: count }, () => ring.next(none));
  return { clock, ring, take };
}

describe("taking turns", () => {
  test("keys are used one after the other, round and round", () => {
    const { ring, take } = createRing("a", "b", "c");
    expect(ring.size).toBe(3);
    expect(take(7)).toEqual(["a", "b", "c", "a", "b", "c", "a"]);
  });

  test("a ring without keys has none to give", () => {
    const { ring } = createRing();
    expect(ring.size).toBe(0);
    expect(ring.next(none)).toBeNull();
  });

  test("a key that was tried is not given to the same call again", () => {
    const { ring } = createRing("a", "b", "c");
    expect(ring.next(new Set(["a"]))).toBe("b");
    expect(ring.next(new Set(["a", "b"]))).toBe("c");
    expect(ring.next(new Set(["a", "b", "c"]))).toBeNull();
  });

  test("a cooling key is passed over and the others share its turns", () => {
    const { ring, take } = createRing("a", "b", "c");
    ring.coolDown("b", "limited", undefined);
    expect(take(4)).toEqual(["a", "c", "a", "c"]);
  });
});

describe("cooling down", () => {
  test.each<[string, CooldownReason, number | undefined, number]>([
    ["a limit without a hint", "limited", undefined, afterLimitMs],
    ["a limit with a hint", "limited", 7_000, 7_000],
    ["a refusal without a hint", "refused", undefined, afterRefusalMs],
    ["a refusal with a hint", "refused", 1_500, 1_500],
    ["a hint of a day, which is cut", "limited", 86_400_000, maxCooldownMs],
  ])("after %s the key is back by itself, to the millisecond", (_, reason, hintMs, cooldownMs) => {
    const { clock, ring, take } = createRing("a", "b");
    ring.coolDown("a", reason, hintMs);
    clock.advance(cooldownMs - 1);
    expect(take(3)).toEqual(["b", "b", "b"]);
    clock.advance(1);
    expect(new Set(take(2))).toEqual(new Set(["a", "b"]));
  });

  test("a hint of nothing is no rest", () => {
    const { ring, take } = createRing("a", "b");
    ring.coolDown("a", "limited", 0);
    expect(take(2)).toEqual(["a", "b"]);
  });

  test("a key that has just worked rests no longer", () => {
    const { ring, take } = createRing("a", "b");
    ring.coolDown("a", "refused", undefined);
    ring.restore("a");
    expect(take(2)).toEqual(["a", "b"]);
  });

  test.each<CooldownReason>(["limited", "refused"])(
    "a lone key that is %s is never locked out",
    (why) => {
      const { ring } = createRing("a");
      ring.coolDown("a", why, undefined);
      expect(ring.next(none)).toBe("a");
      expect(ring.next(new Set(["a"]))).toBeNull();
    },
  );

  test("when all cool down, a new call gets the one that is back soonest", () => {
    const { ring } = createRing("a", "b", "c");
    ring.coolDown("a", "limited", 3_000);
    ring.coolDown("b", "limited", 1_000);
    ring.coolDown("c", "limited", 2_000);
    expect(ring.next(none)).toBe("b");
  });

  test("when all cool down, a call that has tried one gets no other", () => {
    const { ring } = createRing("a", "b");
    ring.coolDown("a", "limited", undefined);
    ring.coolDown("b", "limited", undefined);
    expect(ring.next(new Set(["a"]))).toBeNull();
  });
});

test("whatever happens, a call gets a key, never a tried one, and a cooling one only at first", () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  const step = fc.record({
    kind: fc.constantFrom("coolDown", "restore", "wait", "call", "call"),
    key,
    ms: fc.oneof(fc.nat({ max: 700_000 }), fc.nat({ max: 5_000_000 })),
    tried: fc.uniqueArray(key),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = createModel("a", "b", "c", "d");
      for (const one of steps) model[one.kind](one);
    }),
  );
});

interface Step {
  readonly key: string;
  readonly ms: number;
  readonly tried: readonly string[];
}

/** A ring beside a plain account of when each key is back. */
function createModel(...keys: readonly string[]) {
  const clock = createVirtualClock();
  const ring = createKeyRing(keys, createMemoryCooldowns(clock), (key) => key);
  const untilMs = new Map<string, number>();
  const isReady = (key: string) => (untilMs.get(key) ?? 0) <= clock.monotonicMs();
  return {
    wait: ({ ms }: Step) => clock.advance(ms),
    restore: ({ key }: Step) => {
      ring.restore(key);
      untilMs.delete(key);
    },
    coolDown: ({ key, ms }: Step) => {
      ring.coolDown(key, "limited", ms);
      untilMs.set(key, clock.monotonicMs() + Math.min(ms, maxCooldownMs));
    },
    call: (step: Step) => {
      const tried = new Set(step.tried);
      const given = ring.next(tried);
      const left = keys.filter((key) => !tried.has(key));
      const someAwake = left.some(isReady);
      expect(given === null).toBe(!someAwake && tried.size > 0);
      if (given === null) return;
      expect(left).toContain(given);
      expect(isReady(given)).toBe(someAwake);
    },
  };
}
