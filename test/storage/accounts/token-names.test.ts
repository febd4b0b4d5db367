import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { endOf, messageOf, startProcess } from "../support/processes.ts";
import { query } from "../support/tables.ts";

eachDatabase("names of living tokens", (kind) => {
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

  const taken = (id: string) => ({
    code: "token_name_taken",
    params: { field: "name", value: "Ada", id },
    details: { field: "name" },
  });

  test("are unique, and a disabled token keeps its own", async () => {
    const { token } = await storage.tokens.create({ name: "Ada" });
    const again = () => storage.tokens.create({ name: "Ada" });
    await expect(again()).rejects.toMatchObject(taken(token.id));
    await storage.tokens.disable(token.id);
    await expect(again()).rejects.toMatchObject(taken(token.id));
    for (const name of ["ada", "Ada 2"]) await storage.tokens.create({ name });
    expect(await storage.tokens.list()).toHaveLength(3);
  });

  test("are free again once a token is revoked or has expired", async () => {
    const first = await storage.tokens.create({ name: "Ada" });
    await storage.tokens.revoke(first.token.id);
    const second = await storage.tokens.create({ name: "Ada", expiresAt: noon + 1 });
    await expect(storage.tokens.create({ name: "Ada" })).rejects.toMatchObject(
      taken(second.token.id),
    );
    clock.set(noon + 1);
    await storage.tokens.create({ name: "Ada" });
  });

  test("are not taken by a change: neither by a new name nor by coming to life again", async () => {
    const expired = await storage.tokens.create({ name: "Ada", expiresAt: noon + 1 });
    clock.set(noon + 1);
    const { token } = await storage.tokens.create({ name: "Ada" });
    const { update } = storage.tokens;
    await expect(update(expired.token.id, { expiresAt: null })).rejects.toMatchObject(
      taken(token.id),
    );
    expect(await update(expired.token.id, { comment: "over" })).toMatchObject({ comment: "over" });
    expect(await update(token.id, { name: "Ada", comment: "x" })).toMatchObject({ comment: "x" });
    const bob = await storage.tokens.create({ name: "Bob" });
    await expect(update(bob.token.id, { name: "Ada" })).rejects.toMatchObject(taken(token.id));
    const revived = await update(expired.token.id, { expiresAt: null, name: "Ada the first" });
    expect(revived).toMatchObject({ name: "Ada the first", expiresAt: null });
  });

  test("that older versions gave twice live on, and can be changed apart from the name", async () => {
    const ada = await storage.tokens.create({ name: "Ada" });
    const other = await storage.tokens.create({ name: "Bob" });
    await query(database, `UPDATE tokens SET name = 'Ada' WHERE id = '${other.token.id}'`);
    for (const { token, secret } of [ada, other]) {
      const changed = await storage.tokens.update(token.id, { limits: { minute: 5 } });
      expect(changed).toMatchObject({ name: "Ada", limits: { minute: 5 } });
      expect(await storage.tokens.find(secret)).not.toBeNull();
    }
    await expect(storage.tokens.create({ name: "Ada" })).rejects.toMatchObject({
      code: "token_name_taken",
    });
  });

  test("are given once, whichever process asks first", async () => {
    const names = 25;
    const work = { place: database.place, kind: "names", secret: "", parallel: names } as const;
    const children = await Promise.all(["a", "b"].map((name) => startProcess({ ...work, name })));
    const results = children.map((child) => messageOf(child));
    for (const child of children) child.send("go");
    const said = (await Promise.all(results)) as { taken: number; refused: string[] }[];
    expect(said.reduce((sum, { taken }) => sum + taken, 0)).toBe(names);
    expect([...new Set(said.flatMap(({ refused }) => refused))]).toEqual(["token_name_taken"]);
    const listed = await storage.tokens.list();
    expect(new Set(listed.map(({ name }) => name)).size).toBe(names);
    expect(listed).toHaveLength(names);
    await Promise.all(children.map((child) => endOf(child)));
  });
});
