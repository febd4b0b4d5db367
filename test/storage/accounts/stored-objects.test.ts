/** Whose the responses and conversations are that services keep. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { StoredObject } from "../../../src/core/accounts/stored-objects.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { query } from "../support/tables.ts";

const DAY_MS = 86_400_000;
const object = (digest: string, fields: Partial<StoredObject> = {}): StoredObject => ({
  ...{ digest, kind: "response", tokenId: "a", upstream: "default", keyDigest: null },
  ...fields,
});

eachDatabase("stored objects", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  const digests = async () => {
    const rows = await query<{ digest: string }>(database, "SELECT digest FROM stored_objects");
    return rows.map(({ digest }) => digest).sort();
  };

  test("are known at once, durable when kept, and known to other processes then", async () => {
    const mine = object("1", { keyDigest: "0123456789abcdef" });
    const keeping = storage.storedObjects.keep(mine);
    expect(await storage.storedObjects.find("1")).toEqual(mine);
    await keeping;
    const other = await database.open({ clock, oneOff: true });
    expect(await other.storedObjects.find("1")).toEqual(mine);
    expect(await other.storedObjects.find("2")).toBeNull();
    await other.storedObjects.remove("1");
    expect(await storage.storedObjects.find("1")).toBeNull();
  });

  test("belong to who got the id last, also in one batch", async () => {
    await storage.storedObjects.keep(object("1"));
    const { storedObjects } = storage;
    const others = ["b", "c"].map((tokenId) => storedObjects.keep(object("1", { tokenId })));
    await Promise.all([...others, storedObjects.keep(object("2"))]);
    expect((await storedObjects.find("1"))?.tokenId).toBe("c");
    expect(await digests()).toEqual(["1", "2"]);
  });

  test("that are responses are forgotten after 31 days, conversations never", async () => {
    await storage.storedObjects.keep(object("1"));
    await storage.storedObjects.keep(object("2", { kind: "conversation" }));
    clock.set(noon + DAY_MS);
    await storage.storedObjects.keep(object("3"));
    clock.set(noon + 31 * DAY_MS);
    await storage.storedObjects.sweep();
    expect(await digests()).toEqual(["1", "2", "3"]);
    clock.set(noon + 31 * DAY_MS + 1);
    await storage.storedObjects.sweep();
    expect(await digests()).toEqual(["2", "3"]);
  });

  test("that are conversations are counted by their token", async () => {
    await storage.storedObjects.keep(object("1"));
    await storage.storedObjects.keep(object("2", { kind: "conversation" }));
    await storage.storedObjects.keep(object("3", { kind: "conversation", tokenId: "b" }));
    expect(await storage.storedObjects.conversations("a")).toEqual({ count: 1, max: 10_000 });
    expect((await storage.storedObjects.conversations("x")).count).toBe(0);
  });
});
