import { expect, test } from "vitest";
import { openSqlite } from "../../../src/storage/driver/sqlite.ts";
import { tokenEntry } from "../support/calls.ts";
import { createDatabase } from "../support/databases.ts";

test("what others write counts if it is a token, not if it is a call", async () => {
  const database = await createDatabase("sqlite");
  try {
    const other = await database.open();
    const driver = await openSqlite(database.place.sqliteFile ?? "");
    const { tokensVersion } = driver;
    const before = tokensVersion();
    const { token } = await other.tokens.create({ name: "one" });
    const created = tokensVersion();
    expect(created).not.toBe(before);
    await other.ledger.settle(tokenEntry(token), null);
    expect(tokensVersion()).toBe(created);
    await other.tokens.revoke(token.id);
    expect(tokensVersion()).not.toBe(created);
    await driver.close();
  } finally {
    await database.drop();
  }
});
