import { expect, test } from "vitest";
import type { StorageNotice } from "../../../src/storage/driver/driver.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { entry, perDay, tokenEntry, wish } from "../support/calls.ts";
import { eachDatabase, type TestDatabase } from "../support/databases.ts";
import { query, withDatabase } from "../support/tables.ts";

/** What a newer version does to a database while others use it. */
async function upgrade(database: TestDatabase): Promise<void> {
  await query(database, "ALTER TABLE ledger ADD COLUMN note text");
  await query(database, "ALTER TABLE tokens ADD COLUMN tries bigint NOT NULL DEFAULT 0");
  await query(database, "ALTER TABLE conversations ADD COLUMN folder text");
  await query(database, "CREATE TABLE later (id text PRIMARY KEY)");
  await query(database, "INSERT INTO parley_migration VALUES ('9999-later', '2030')");
}

async function workOn(storage: Storage, name: string): Promise<void> {
  const { secret } = await storage.tokens.create({ name, quotas: perDay({ requests: 10 }) });
  const token = (await storage.tokens.find(secret))?.token;
  if (token === undefined) throw new Error("the token is not found");
  const result = await storage.ledger.reserve(wish(token, { at: Date.now() }));
  if (!result.admitted) throw new Error("the call is not admitted");
  const facts = { requestId: name, at: Date.now() };
  await storage.ledger.settle(tokenEntry(token, facts), result.reservation);
  await storage.ledger.settle(entry({ ...facts, requestId: `${name} without` }), null);
  const { id } = await storage.conversations.create("owner", { name });
  const texts = { question: "Where to?", answer: "There." };
  await storage.conversations.appendTurn("owner", id, {
    ...texts,
    parentId: null,
    onlyAtNewest: true,
  });
  const { messages } = await storage.conversations.path("owner", id);
  expect(messages.map(({ content }) => content)).toEqual(Object.values(texts));
  expect((await storage.ledger.used(token.id)).day.requests).toBe(1);
}

eachDatabase("a database of a newer version", (kind) => {
  test("is served by those that were there and by those that come, and the log has its name", async () => {
    await withDatabase(kind, async (database) => {
      const before = await database.open();
      await workOn(before, "before");
      await upgrade(database);
      await workOn(before, "meanwhile");
      const notices: StorageNotice[] = [];
      const after = await database.open({ onNotice: (notice) => notices.push(notice) });
      expect(notices).toEqual([
        { message: "the database is of a newer version of Parley", migrations: ["9999-later"] },
      ]);
      await Promise.all([workOn(before, "one"), workOn(after, "other")]);
      const rows = await after.ledger.rows();
      expect(rows.map(({ requestId }) => requestId).toSorted()).toEqual(
        ["before", "meanwhile", "one", "other"].flatMap((name) => [name, `${name} without`]),
      );
    });
  });

  test.each(["9998-not-known", null])(
    "is left alone if it says that it needs %s, and the reason is told",
    async (needed) => {
      await withDatabase(kind, async (database) => {
        await (await database.open()).close();
        await upgrade(database);
        const mark = "WHERE name = 'needs_migration'";
        const change =
          needed === null ? "DELETE FROM settings" : `UPDATE settings SET value = '${needed}'`;
        await query(database, `${change} ${mark}`);
        await expect(database.open()).rejects.toThrow(
          /another version of Parley, use that or a newer one: .*9999-later/,
        );
      });
    },
  );
});
