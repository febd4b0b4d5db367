import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { restoreSqlite } from "../../src/storage/restore.ts";

let folder: string;
let file: string;
let copy: string;
const opened: Storage[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-restore-"));
  file = join(folder, "parley.sqlite");
  copy = join(folder, "copy.sqlite");
});
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  rmSync(folder, { recursive: true });
});

async function open(place = file): Promise<Storage> {
  const storage = await openStorage({ sqliteFile: place, clock: systemClock });
  opened.push(storage);
  return storage;
}

/** A database with these tokens in it that nobody has open. */
async function write(place: string, ...names: string[]): Promise<void> {
  const storage = await openStorage({ sqliteFile: place, clock: systemClock });
  for (const name of names) await storage.tokens.create({ name });
  await storage.close();
}

async function namesIn(place: string): Promise<string[]> {
  return (await (await open(place)).tokens.list()).map(({ name }) => name);
}

const restore = (nowMs = Date.now()) => restoreSqlite({ from: copy, file, nowMs });

test("what was saved while a server ran comes back, and what it replaces is kept beside", async () => {
  const server = await open();
  await server.tokens.create({ name: "alice" });
  await server.backup(copy);
  await server.tokens.create({ name: "bob" });
  await server.close();
  opened.pop();
  const { kept } = await restore();
  expect(kept).toBe(`${file}.before-restore`);
  expect(await namesIn(file)).toEqual(["alice"]);
  expect(await namesIn(`${file}.before-restore`)).toEqual(["alice", "bob"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(`${file}.before-restore`).mode & 0o777).toBe(0o600);
});

test("a second restore keeps a second file and leaves the first alone", async () => {
  await write(file, "first");
  await write(copy, "second");
  await restore();
  const { kept } = await restore();
  expect(kept).toBe(`${file}.before-restore-2`);
  expect(await namesIn(`${file}.before-restore`)).toEqual(["first"]);
});

test("a database that a process has open is left alone", async () => {
  await write(copy, "other");
  const server = await open();
  await server.tokens.create({ name: "alice" });
  await expect(restore()).rejects.toThrow("is in use: stop the server first");
  await expect(restore(Date.now() + 3_600_000)).rejects.toThrow("is in use");
  expect(await namesIn(file)).toEqual(["alice"]);
  expect(readdirSync(folder).filter((name) => /restor/.test(name))).toEqual([]);
});

test("a heartbeat from elsewhere within the last 15 seconds counts as use", async () => {
  await write(file, "alice");
  await write(copy, "other");
  const now = Date.now();
  const database = new DatabaseSync(file);
  database.exec(
    `INSERT INTO owners (id, instance, started_at, seen_at) VALUES ('there', null, ${now}, ${now})`,
  );
  database.close();
  await expect(restore(now + 14_000)).rejects.toThrow("was in use a moment ago");
  await restore(now + 16_000);
  expect(await namesIn(file)).toEqual(["other"]);
});

test("a heartbeat from before the clock went back holds no restore up", async () => {
  await write(file, "alice");
  await write(copy, "other");
  const hourAhead = Date.now() + 3_600_000;
  const database = new DatabaseSync(file);
  database.exec(
    `INSERT INTO owners (id, instance, started_at, seen_at) VALUES ('there', null, ${hourAhead}, ${hourAhead})`,
  );
  database.close();
  await restore();
  expect(await namesIn(file)).toEqual(["other"]);
});

test("a damaged database is moved away and replaced", async () => {
  writeFileSync(file, "this was a database once ".repeat(1_000));
  await write(copy, "other");
  const { kept } = await restore();
  expect(await namesIn(file)).toEqual(["other"]);
  expect(readFileSync(String(kept), "utf8")).toContain("this was a database once");
});

test("without a database to replace, nothing is kept", async () => {
  await write(copy, "other");
  expect(await restore()).toEqual({ kept: null });
  expect(await namesIn(file)).toEqual(["other"]);
});

test("a backup that is damaged or not ours is refused, and the database stays", async () => {
  await write(file, "alice");
  await expect(restore()).rejects.toThrow("is not there");
  writeFileSync(copy, "no database");
  await expect(restore()).rejects.toThrow("cannot be restored");
  rmSync(copy);
  const foreign = new DatabaseSync(copy);
  foreign.exec("CREATE TABLE tokens (id)");
  foreign.close();
  await expect(restore()).rejects.toThrow("it is not a database of Parley");
  rmSync(copy);
  await write(copy, ...Array.from({ length: 200 }, (_, at) => `token ${at}`));
  const newer = new DatabaseSync(copy);
  newer.exec("INSERT INTO parley_migration VALUES ('9999-newer', '2030')");
  newer.exec("UPDATE settings SET value = '9999-newer' WHERE name = 'needs_migration'");
  await expect(restore()).rejects.toThrow(
    `${copy} cannot be restored: the database was written by`,
  );
  newer.exec("DELETE FROM parley_migration WHERE name = '9999-newer'");
  newer.exec("DELETE FROM settings WHERE name = 'needs_migration'");
  newer.close();
  const bytes = readFileSync(copy);
  bytes.fill(0xff, 8_192, bytes.length - 4_096);
  writeFileSync(copy, bytes);
  await expect(restore()).rejects.toThrow("cannot be restored");
  const onto = restoreSqlite({ from: file, file, nowMs: Date.now() });
  await expect(onto).rejects.toThrow("is the database itself");
  expect(await namesIn(file)).toEqual(["alice"]);
});
