import { once } from "node:events";
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import type { Storage } from "../../src/storage/open.ts";
import { createDatabase } from "./support/databases.ts";

/** Enough for many steps of SQLite's own copying. */
const BYTES = 40_000_000;
/** Twice the idle time, and as much again for a busy machine. */
const MOST = 4;
const ROUNDS = 3;

async function filled() {
  const database = await createDatabase("sqlite");
  onTestFinished(() => database.drop());
  const file = database.place.sqliteFile ?? "";
  const storage = await database.open();
  const other = new DatabaseSync(file);
  onTestFinished(() => other.close());
  other.exec(`CREATE TABLE ballast (x); INSERT INTO ballast VALUES (zeroblob(${BYTES}))`);
  other.exec("CREATE TABLE written (n INTEGER)");
  return { file, storage, other };
}

/** The quickest of some copies, and how many rows of `written` the last one has. */
async function copied(storage: Storage, file: string, name: string) {
  let ms = Number.POSITIVE_INFINITY;
  let rows = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const to = `${file}.${name}-${round}`;
    const startedMs = performance.now();
    await storage.backup(to);
    ms = Math.min(ms, performance.now() - startedMs);
    const copy = new DatabaseSync(to, { readOnly: true });
    expect(copy.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    rows = Number(copy.prepare("SELECT count(*) AS n FROM written").get()?.n);
    copy.close();
    expect(statSync(to).mode & 0o777).toBe(0o600);
  }
  return { ms, rows };
}

/** Another thread that writes until it is told to stop; then it says how much. */
const WRITER = `
const { parentPort, workerData } = require("node:worker_threads");
const { DatabaseSync } = require("node:sqlite");
const database = new DatabaseSync(workerData, { timeout: 5_000 });
let written = 0;
const timer = setInterval(() => {
  database.exec("INSERT INTO written VALUES (" + written++ + ")");
  if (written === 1) parentPort.postMessage("writing");
}, 2);
parentPort.once("message", () => {
  clearInterval(timer);
  database.close();
  parentPort.postMessage(written);
});
`;

test("a backup ends although others write all the while, and holds none of them up", async () => {
  const { file, storage } = await filled();
  const idle = await copied(storage, file, "idle");
  const writer = new Worker(WRITER, { eval: true, workerData: file });
  await once(writer, "message");
  const busy = await copied(storage, file, "busy");
  writer.postMessage("stop");
  const [written] = await once(writer, "message");
  expect(busy.rows).toBeGreaterThan(0);
  expect(written).toBeGreaterThan(busy.rows);
  expect(busy.ms).toBeLessThan(MOST * idle.ms);
}, 60_000);

test("a backup leaves out the room of deleted rows", async () => {
  const { file, storage, other } = await filled();
  other.exec("DELETE FROM ballast");
  await storage.backup(`${file}.small`);
  expect(statSync(`${file}.small`).size).toBeLessThan(BYTES / 10);
});
