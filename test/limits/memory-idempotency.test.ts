import { describe, expect, test } from "vitest";
import { createMemoryIdempotency } from "../../src/limits/memory-idempotency.ts";
import { createHeldClock } from "../support/parley.ts";
import { describeNamedCalls } from "./fixtures/described-calls.ts";
import { namedCall } from "./fixtures/named-calls.ts";
import { createPacedClock } from "./fixtures/paced-clock.ts";

const MEBIBYTE = 1_048_576;

function createStore() {
  const clock = createHeldClock();
  const store = createMemoryIdempotency(clock);
  let asked = 0;
  /** Whether the upstream had to be asked. */
  const asks = async (name: string, bucket: string, bytes: number) => {
    const before = asked;
    const ask = async () => {
      asked += 1;
      return { status: 200, contentType: "application/json", bytes: new Uint8Array(bytes) };
    };
    await store.once(namedCall(name, { bucket }), ask);
    return asked > before;
  };
  return { clock, asks };
}

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe("remembered answers", () => {
  test("are counted when they arrive: one that does not fit is not remembered", async () => {
    const { asks } = createStore();
    await asks("kept", "a", MEBIBYTE);
    expect(await asks("large", "a", 17 * MEBIBYTE)).toBe(true);
    expect(await asks("large", "a", 17 * MEBIBYTE)).toBe(true);
    expect(await asks("kept", "a", MEBIBYTE)).toBe(false);
  });

  test("of one address leave as soon as others need more than what is free", async () => {
    const { asks } = createStore();
    for (const name of names("a", 16)) await asks(name, "a", MEBIBYTE);
    expect(await asks("a0", "a", MEBIBYTE)).toBe(false);
    for (const name of names("b", 4)) await asks(name, "b", MEBIBYTE);
    for (const name of names("b", 4)) expect(await asks(name, "b", MEBIBYTE)).toBe(false);
    expect(await asks("a15", "a", MEBIBYTE)).toBe(false);
    expect(await asks("a0", "a", MEBIBYTE)).toBe(true);
  });

  test("of an address with its share make room for its next ones only", async () => {
    const { asks } = createStore();
    for (const bucket of ["a", "b", "c", "d"]) {
      for (const name of names(bucket, 4)) await asks(name, bucket, MEBIBYTE);
    }
    await asks("one more", "a", MEBIBYTE);
    expect(await asks("one more", "a", MEBIBYTE)).toBe(false);
    expect(await asks("b0", "b", MEBIBYTE)).toBe(false);
    // larger than its share: it would have to take from the others
    await asks("large", "a", 5 * MEBIBYTE);
    expect(await asks("large", "a", 5 * MEBIBYTE)).toBe(true);
    expect(await asks("one more", "a", MEBIBYTE)).toBe(false);
    expect(await asks("b0", "b", MEBIBYTE)).toBe(false);
  });

  test("are a thousand at most, for ten minutes", async () => {
    const { asks, clock } = createStore();
    for (const name of names("n", 1_000)) await asks(name, "a", 1);
    expect(await asks("n0", "a", 1)).toBe(false);
    await asks("next", "a", 1);
    expect(await asks("n1", "a", 1)).toBe(false);
    expect(await asks("n0", "a", 1)).toBe(true);
    clock.forward(600_000);
    expect(await asks("n500", "a", 1)).toBe(true);
  });
});

describeNamedCalls("a named call in memory", () => {
  const clock = createPacedClock();
  const store = createMemoryIdempotency(clock);
  return { clock, copies: [store, store] };
});
