import { setImmediate as nextTick } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTokenCache } from "../../../src/storage/accounts/token-cache.ts";

function createCache() {
  const database = { version: 1, asked: 0 };
  const version = () => {
    database.asked += 1;
    return database.version;
  };
  return { database, cache: createTokenCache<string>({ tokensVersion: version }) };
}

test("the calls of one tick ask the database once", async () => {
  const { database, cache } = createCache();
  expect(cache.get("digest")).toBeUndefined();
  cache.keep("digest", "found", cache.moment());
  for (let call = 0; call < 10; call += 1) expect(cache.get("digest")).toBe("found");
  expect(database.asked).toBe(1);
  await nextTick();
  expect(cache.get("digest")).toBe("found");
  expect(database.asked).toBe(2);
});

test("a write of another connection is seen in the next tick, an own one at once", async () => {
  const { database, cache } = createCache();
  cache.get("digest");
  cache.keep("digest", "found", cache.moment());
  await nextTick();
  database.version = 2;
  expect(cache.get("digest")).toBeUndefined();
  cache.keep("digest", "found again", cache.moment());
  cache.forget();
  expect(cache.get("digest")).toBeUndefined();
});

test("what was read before a write is not kept after it", async () => {
  const { database, cache } = createCache();
  cache.get("digest");
  const before = cache.moment();
  cache.forget();
  cache.keep("digest", "stale", before);
  expect(cache.get("digest")).toBeUndefined();
  const later = cache.moment();
  await nextTick();
  database.version = 2;
  cache.get("another");
  cache.keep("digest", "stale", later);
  expect(cache.get("digest")).toBeUndefined();
});

test("a database that can't be asked is asked again by the next call", () => {
  let busy = true;
  const version = () => {
    if (busy) throw new Error("busy");
    return 1;
  };
  const cache = createTokenCache<string>({ tokensVersion: version });
  expect(() => cache.get("digest")).toThrow("busy");
  busy = false;
  expect(cache.get("digest")).toBeUndefined();
  cache.keep("digest", "found", cache.moment());
  expect(cache.get("digest")).toBe("found");
});
