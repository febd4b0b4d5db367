import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Storage } from "../../../src/storage/open.ts";
import { until } from "../../support/process.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { ann, bob, codeOf, turn } from "../support/talk.ts";

const MEBIBYTE = 1_048_576;
/** With its row, a fifteenth of a share: 16 MiB. */
const LARGE = "x".repeat(MEBIBYTE);
const SHARE = 15;

eachDatabase("what owners that cost nothing keep", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  beforeAll(async () => {
    database = await createDatabase(kind);
    await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.empty();
    storage = await database.open();
  });
  const create = (owner: string, room: string | null, systemPrompt = LARGE) =>
    storage.conversations.create(owner, { systemPrompt, room });
  const fill = async (room: string, count = SHARE) => {
    const made = [];
    for (let at = 0; at < count; at += 1) made.push(await create(ann, room));
    return made;
  };

  test("shares one room, of which an address has a quarter", async () => {
    await fill("a");
    await expect(create(ann, "a")).rejects.toMatchObject({
      code: "conversations_limited",
      params: { max: "16 MiB" },
    });
    expect(await codeOf(create(ann, null))).toBe("done");
    for (const room of ["b", "c", "d"]) await fill(room);
    await fill("e", 3);
    await expect(create(bob, "e")).rejects.toMatchObject({ params: { max: "64 MiB" } });
    // nothing is left of what was refused
    expect(await storage.conversations.list(bob)).toEqual([]);
  }, 60_000);

  test("gives its room back when it is deleted, answered, smaller or accepted", async () => {
    const { conversations, acceptedOwners } = storage;
    const [first, second, third] = await fill("a");
    const isFull = async () => (await codeOf(create(bob, "a"))) === "conversations_limited";
    expect(await isFull()).toBe(true);
    await conversations.delete(ann, first?.id ?? "");
    expect(await isFull()).toBe(false);
    expect(await isFull()).toBe(true);
    await conversations.appendTurn(ann, second?.id ?? "", turn(null));
    expect(await isFull()).toBe(false);
    expect(await isFull()).toBe(true);
    await conversations.setSystemPrompt(ann, third?.id ?? "", null);
    expect(await isFull()).toBe(false);
    const larger = conversations.setSystemPrompt(ann, third?.id ?? "", LARGE);
    expect(await codeOf(larger)).toBe("conversations_limited");
    expect((await conversations.find(ann, third?.id ?? ""))?.systemPrompt).toBeNull();
    expect(await acceptedOwners.has(ann)).toBe(false);
    acceptedOwners.add(ann);
    expect(await acceptedOwners.has(ann)).toBe(true);
    await until(async () => !(await isFull()), { label: "released", timeoutMs: 10_000 });
    const again = await database.open();
    expect(await again.acceptedOwners.has(ann)).toBe(true);
  }, 60_000);
});
