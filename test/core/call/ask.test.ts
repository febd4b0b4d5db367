import { describe, expect, test } from "vitest";

import { createKeyRing } from "../../../src/core/call/key-ring.ts";
import { askWithRetries, type KeySource } from "../../../src/core/call/retries.ts";
import { type ErrorCode, errorCodes, ProxyError } from "../../../src/core/errors.ts";
import { createMemoryCooldowns } from "../../../src/limits/memory-cooldowns.ts";
import { createVirtualClock, type VirtualClockOptions } from "../virtual-clock.ts";

interface Scene {
  readonly keys?: readonly string[];
  readonly ownKey?: string;
  readonly retries?: number;
  readonly clock?: VirtualClockOptions;
  readonly signal?: AbortSignal;
}

/** Runs a list of outcomes against the attempts; the last one repeats. */
function createScene({ keys = ["k1"], ownKey, retries = 2, clock: options, signal }: Scene) {
  const clock = createVirtualClock(options);
  const ring = createKeyRing(keys, createMemoryCooldowns(clock), (key) => key);
  const source: KeySource =
    ownKey === undefined
      ? { next: (tried) => ring.next(tried), ring }
      : { next: (tried) => (tried.size === 0 ? ownKey : null), ring: null };
  const used: string[] = [];
  const run = (...outcomes: readonly (ProxyError | Error | "answer")[]) =>
    askWithRetries(
      source,
      async (key) => {
        const outcome = outcomes[Math.min(used.length, outcomes.length - 1)] ?? "answer";
        used.push(key);
        if (outcome !== "answer") throw outcome;
        return `answered with ${key}`;
      },
      {
        clock,
        signal: signal ?? new AbortController().signal,
        hasLeft: () => false,
        retries,
        attempts: { tries: 0 },
      },
    );
  return { clock, ring, used, run };
}

const failed = (status: number) =>
  new ProxyError("upstream_failed", { details: { upstream_status: status } });
const unreachable = new ProxyError("upstream_unreachable");
const limited = (retryAfterMs?: number) =>
  new ProxyError("upstream_rate_limited", { retryAfterMs });

describe("failures that pass", () => {
  test.each([
    ["an unreachable upstream", unreachable],
    ["a 500", failed(500)],
    ["a 503", failed(503)],
    ["a 529", failed(529)],
  ])("%s is asked again after a short pause, with the same key", async (_, failure) => {
    const { run, used, clock } = createScene({ keys: ["k1", "k2"] });
    await expect(run(failure, "answer")).resolves.toBe("answered with k1");
    expect(used).toEqual(["k1", "k1"]);
    expect(clock.sleptMs).toEqual([100]);
  });

  test.each([0, 1, 2, 5])(
    "with %i retries the upstream is asked that often once more",
    async (retries) => {
      const { run, used, clock } = createScene({ retries });
      await expect(run(failed(500))).rejects.toThrow("upstream_failed");
      expect(used).toHaveLength(retries + 1);
      expect(clock.sleptMs).toEqual([100, 200, 400, 800, 1_600].slice(0, retries));
    },
  );

  test("the error that is thrown in the end is the last one", async () => {
    const { run } = createScene({ retries: 1 });
    await expect(run(unreachable, failed(502))).rejects.toMatchObject({
      details: { upstream_status: 502 },
    });
  });
});

describe("failures that stay", () => {
  const passing: readonly ErrorCode[] = ["upstream_unreachable"];
  const blamesKey: readonly ErrorCode[] = [
    "key_rejected",
    "key_exhausted",
    "upstream_rate_limited",
  ];
  const staying = errorCodes.filter((code) => !passing.includes(code) && !blamesKey.includes(code));

  test.each(staying)("%s is not asked again", async (code) => {
    const { run, used, clock } = createScene({ keys: ["k1", "k2"] });
    await expect(run(new ProxyError(code))).rejects.toThrow(code);
    expect(used).toEqual(["k1"]);
    expect(clock.sleptMs).toEqual([]);
  });

  test.each([400, 409, 418, 499])(
    "an upstream that failed with %i is not asked again",
    async (status) => {
      const { run, used } = createScene({});
      await expect(run(failed(status))).rejects.toThrow("upstream_failed");
      expect(used).toHaveLength(1);
    },
  );

  test("an error of our own making is thrown as it is, at once", async () => {
    const { run, used } = createScene({ keys: ["k1", "k2"] });
    const mistake = new TypeError("undefined is not a function");
    await expect(run(mistake)).rejects.toBe(mistake);
    expect(used).toHaveLength(1);
  });
});

describe("keys that are turned down", () => {
  test.each<[ErrorCode]>([["key_rejected"], ["key_exhausted"], ["upstream_rate_limited"]])(
    "after %s another key is tried at once, without a pause",
    async (code) => {
      const { run, used, clock } = createScene({ keys: ["k1", "k2"], retries: 0 });
      await expect(run(new ProxyError(code), "answer")).resolves.toBe("answered with k2");
      expect(used).toEqual(["k1", "k2"]);
      expect(clock.sleptMs).toEqual([]);
    },
  );

  test("each key is tried once and the last answer is thrown", async () => {
    const { run, used } = createScene({ keys: ["k1", "k2", "k3"] });
    await expect(run(limited(1), limited(2), limited(3))).rejects.toMatchObject({
      code: "upstream_rate_limited",
      retryAfterMs: 3,
    });
    expect(used).toEqual(["k1", "k2", "k3"]);
  });

  test("the turned-down key rests as long as the upstream said, then is used again", async () => {
    const { run, ring, clock } = createScene({ keys: ["k1", "k2"] });
    await run(limited(7_000), "answer");
    expect([ring.next(new Set()), ring.next(new Set())]).toEqual(["k2", "k2"]);
    clock.advance(7_000);
    expect([ring.next(new Set()), ring.next(new Set())]).toContain("k1");
  });

  test("a limited key rests for seconds and a refused one for minutes", async () => {
    const { run, ring, clock } = createScene({ keys: ["limited", "refused", "good"] });
    await run(limited(), new ProxyError("key_rejected"), "answer");
    const awake = () => new Set([1, 2, 3].map(() => ring.next(new Set())));
    expect(awake()).toEqual(new Set(["good"]));
    clock.advance(10_000);
    expect(awake()).toEqual(new Set(["limited", "good"]));
    clock.advance(590_000);
    expect(awake()).toEqual(new Set(["limited", "refused", "good"]));
  });

  test("a lone key is asked anew by the next call, and the call after a success too", async () => {
    const { run, used } = createScene({ keys: ["k1"] });
    await expect(run(limited())).rejects.toThrow("upstream_rate_limited");
    await expect(run("answer", "answer")).resolves.toBe("answered with k1");
    expect(used).toEqual(["k1", "k1"]);
  });

  test("a success restores the key", async () => {
    const { run, ring } = createScene({ keys: ["k1", "k2"] });
    ring.coolDown("k1", "limited", 2_000);
    ring.coolDown("k2", "limited", 9_000);
    await expect(run("answer")).resolves.toBe("answered with k1");
    expect(ring.next(new Set(["k2"]))).toBe("k1");
  });

  test("changing the key uses up no retry", async () => {
    const { run, used } = createScene({ keys: ["k1", "k2"], retries: 1 });
    await expect(run(limited(), failed(500), "answer")).resolves.toBe("answered with k2");
    expect(used).toEqual(["k1", "k2", "k2"]);
  });
});

describe("a caller's own key", () => {
  test.each<[ErrorCode]>([["key_rejected"], ["key_exhausted"], ["upstream_rate_limited"]])(
    "%s ends the call: no ring, no other key",
    async (code) => {
      const { run, used, ring } = createScene({ keys: ["k1", "k2"], ownKey: "own" });
      await expect(run(new ProxyError(code))).rejects.toThrow(code);
      expect(used).toEqual(["own"]);
      expect([ring.next(new Set()), ring.next(new Set())]).toEqual(["k1", "k2"]);
    },
  );

  test("passing failures are asked again with it", async () => {
    const { run, used } = createScene({ ownKey: "own" });
    await expect(run(unreachable, "answer")).resolves.toBe("answered with own");
    expect(used).toEqual(["own", "own"]);
  });
});

test("without any key nothing is asked and the field to fill is named", async () => {
  const { run, used } = createScene({ keys: [] });
  await expect(run("answer")).rejects.toMatchObject({
    code: "key_missing",
    details: { field: "api_key" },
  });
  expect(used).toEqual([]);
});

describe("a client that leaves", () => {
  test.each([
    ["a passing failure", unreachable],
    ["a turned-down key", limited()],
  ])("during an attempt: %s is not followed by another", async (_, failure) => {
    const { run, used } = createScene({ keys: ["k1", "k2"], signal: AbortSignal.abort() });
    await expect(run(failure)).rejects.toBe(failure);
    expect(used).toHaveLength(1);
  });

  test("during a pause: nothing more is asked and the call is canceled", async () => {
    const client = new AbortController();
    const leave = () => client.abort();
    const { run, used } = createScene({ signal: client.signal, clock: { onSleep: leave } });
    await expect(run(unreachable, "answer")).rejects.toMatchObject({ code: "canceled" });
    expect(used).toEqual(["k1"]);
  });

  test("during a pause because we stop: the reason is what is thrown", async () => {
    const call = new AbortController();
    const reason = new ProxyError("draining");
    const { run, used } = createScene({
      signal: call.signal,
      clock: { onSleep: () => call.abort(reason) },
    });
    await expect(run(unreachable, "answer")).rejects.toBe(reason);
    expect(used).toEqual(["k1"]);
  });
});
