/** What a command says and does where its database is missing, unreadable or changes under it. */
import { existsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { noon } from "../storage/support/calls.ts";
import { createBareDatabase, kinds } from "../storage/support/databases.ts";
import { folder, installed, parleyHere, settingsFor, writeCalls } from "./support.ts";

test("an export that loses rows to the purge says so and fails, with the rows there were", async () => {
  const env = { DATA_DIR: folder() };
  await writeCalls(env, ...Array<string>(1_500).fill("gpt-4o"));
  const storage = await openStorage({
    sqliteFile: `${env.DATA_DIR}/parley.sqlite`,
    clock: systemClock,
    oneOff: true,
  });
  let out = "";
  const ran = await parleyHere(env, ["usage", "export"], "", async (piece) => {
    if (out === "") await storage.ledger.purge(noon + 100_000);
    out += piece;
  });
  await storage.close();
  expect(out.split("\r\n")).toHaveLength(1 + 1_000 + 1);
  expect(ran.code).toBe(1);
  expect(ran.err).toContain("the export is incomplete: RETENTION_DAYS deleted records");
}, 30_000);

describe("without a database", () => {
  const reading = [
    ["token", "list"],
    ["token", "show", "x"],
    ["token", "revoke", "x"],
    ["token", "update", "x", "--name", "y"],
    ["token", "disable", "x"],
    ["token", "rotate", "x"],
    ["token", "enable", "x"],
    ["token", "reseal"],
    ["price", "list"],
    ["usage"],
    ["usage", "export"],
    ["changes"],
    ["backup", join(tmpdir(), "never-written.sqlite")],
  ];

  test.each(reading)("%s %s creates none and says where it looked", async (...args) => {
    const DATA_DIR = join(folder(), "misspelt");
    const ran = await parleyHere({ DATA_DIR }, args);
    expect([ran.code, ran.out]).toEqual([1, ""]);
    expect(ran.err).toContain(`parley: There is no database at ${DATA_DIR}/parley.sqlite. Check`);
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  test.each(kinds)("an empty one on %s is none, and stays empty", async (kind) => {
    const env = await settingsFor(kind, createBareDatabase);
    writeFileSync(`${env.DATA_DIR}/parley.sqlite`, "");
    for (const args of reading.slice(0, -1)) {
      const ran = await parleyHere(env, args);
      expect([ran.code, ran.out]).toEqual([1, ""]);
      expect(ran.err).not.toContain("root@");
      expect(ran.err).toContain("There is no database at");
    }
    expect(statSync(`${env.DATA_DIR}/parley.sqlite`).size).toBe(0);
    const set = ["price", "set", "m", "--input", "1", "--output", "2"];
    expect((await parleyHere(env, set)).code).toBe(0);
    expect((await parleyHere(env, ["token", "list", "--json"])).json()).toEqual([]);
  });
});

test("a database that can't be read is told in words and in its own", async () => {
  const DATA_DIR = folder();
  writeFileSync(`${DATA_DIR}/parley.sqlite`, "this was a database once ".repeat(1_000));
  const ran = await parleyHere({ DATA_DIR }, ["token", "list"]);
  const own = `${DATA_DIR}/parley.sqlite: file is not a database`;
  const line = `parley: The database or its disk is damaged. (${own})\n`;
  expect([ran.code, ran.err]).toEqual([1, line]);
});

test("a file that the command is given and can't be read names itself", async () => {
  const ran = await parleyHere(await installed(), ["price", "import", "/nowhere/prices.json"]);
  expect([ran.code, ran.out]).toEqual([1, ""]);
  expect(ran.err).toBe("parley: There is no file /nowhere/prices.json.\n");
});
