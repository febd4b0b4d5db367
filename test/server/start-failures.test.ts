/** Every start that fails says why in one line of the log, and ends with 1. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { type Environment, launch, type ProcessOptions } from "../support/process.ts";

const PASSWORD = "pass-word-0123456789";
const NOBODY = 65_534;

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "parley-start-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function database(): Promise<{ DATA_DIR: string; file: string }> {
  const DATA_DIR = folder();
  const file = join(DATA_DIR, "parley.sqlite");
  await (await openStorage({ sqliteFile: file, clock: systemClock, oneOff: true })).close();
  return { DATA_DIR, file };
}

/** The one line that a failing start writes. */
async function failedStart(env: Environment, options: ProcessOptions = {}) {
  const started = launch(env, options);
  expect(await started.exit).toBe(1);
  expect(started.stderr()).toBe("");
  expect(started.output).toHaveLength(1);
  const [line = ""] = started.output;
  expect(line).not.toContain(PASSWORD);
  expect(line).not.toContain('"stack"');
  return JSON.parse(line) as Record<string, unknown>;
}

/** A server that does with connections what it is told to. */
async function listening(take: (socket: import("node:net").Socket) => void): Promise<number> {
  const server = createServer(take).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return (server.address() as { port: number }).port;
}

const postgres = (port: number) => ({
  DATABASE_URL: `postgres://parley:${PASSWORD}@127.0.0.1:${port}/parley`,
});

test("a file that is no database, and one that is damaged", async () => {
  const { DATA_DIR, file } = await database();
  const garbage = folder();
  writeFileSync(join(garbage, "parley.sqlite"), "this was a database once ".repeat(1_000));
  expect(await failedStart({ DATA_DIR: garbage })).toMatchObject({
    msg: "cannot start",
    cause: "damaged",
    driver_code: "SQLITE_NOTADB",
    errcode: 26,
    error: `${join(garbage, "parley.sqlite")}: file is not a database`,
  });
  writeFileSync(file, readFileSync(file).fill(0xff, 4_096));
  expect(await failedStart({ DATA_DIR })).toMatchObject({ cause: "damaged" });
}, 30_000);

test("a database of a newer version that this one can't serve", async () => {
  const { DATA_DIR, file } = await database();
  const holder = new DatabaseSync(file);
  holder.exec("INSERT INTO parley_migration VALUES ('9999-from-the-future', '2030')");
  holder.exec("UPDATE settings SET value = '9999-from-the-future' WHERE name = 'needs_migration'");
  holder.close();
  const line = await failedStart({ DATA_DIR });
  expect(line.error).toContain("was written by another version of Parley");
}, 30_000);

test("a database that another process keeps locked", async () => {
  const { DATA_DIR, file } = await database();
  const holder = new DatabaseSync(file);
  onTestFinished(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  expect(await failedStart({ DATA_DIR })).toMatchObject({ cause: "busy", errcode: 5 });
}, 30_000);

test("PostgreSQL that is down, that never answers, and that refuses", async () => {
  const refusal = "SFATAL\0C28P01\0Mpassword authentication failed\0\0";
  const answer = Buffer.alloc(5 + refusal.length);
  answer.write("E");
  answer.writeInt32BE(4 + refusal.length, 1);
  answer.write(refusal, 5);
  const [down, hung, refusing] = await Promise.all([
    failedStart(postgres(1)),
    listening(() => undefined).then((port) => failedStart(postgres(port))),
    listening((socket) => socket.once("data", () => socket.end(answer))).then((port) =>
      failedStart(postgres(port)),
    ),
  ]);
  expect(down).toMatchObject({ cause: "away", driver_code: "ECONNREFUSED" });
  expect(hung).toMatchObject({ cause: "silent" });
  expect(refusing).toMatchObject({
    cause: "denied",
    driver_code: "28P01",
    error: "password authentication failed",
  });
}, 30_000);

test("PostgreSQL that hangs once it is connected", async () => {
  const ready = Buffer.from("5200000008000000005a0000000549", "hex");
  const port = await listening((socket) => socket.once("data", () => socket.write(ready)));
  expect(await failedStart(postgres(port))).toMatchObject({ cause: "silent" });
}, 30_000);

test("what is not a file, where one is needed", async () => {
  const DATA_DIR = folder();
  const file = join(DATA_DIR, "parley.sqlite");
  mkdirSync(file);
  expect((await failedStart({ DATA_DIR })).error).toContain(file);
  const pipe = folder();
  execFileSync("mkfifo", ["-m", "666", join(pipe, "parley.sqlite")]);
  const line = await failedStart({ DATA_DIR: pipe });
  expect(line.error).toBe(`${join(pipe, "parley.sqlite")} is not a regular file`);
  expect(statSync(join(pipe, "parley.sqlite")).mode & 0o777).toBe(0o666);
  const text = join(folder(), "a-file");
  writeFileSync(text, "");
  const below = await failedStart({ DATA_DIR: join(text, "data") });
  expect(below).toMatchObject({ error: `${text} is not a folder` });
  expect(await failedStart({ DATA_DIR: text })).toMatchObject({ error: `${text} is not a folder` });
}, 30_000);

test("a port that is in use", async () => {
  const port = await listening(() => undefined);
  expect(await failedStart({ PORT: String(port) })).toMatchObject({
    msg: "cannot listen",
    code: "EADDRINUSE",
    error: expect.stringContaining(`127.0.0.1:${port}`),
  });
  const nowhere = await failedStart({ HOST: "no-such-host.invalid" });
  expect(nowhere).toMatchObject({ msg: "cannot listen", code: "ENOTFOUND" });
  expect(nowhere).not.toHaveProperty("reason");
}, 30_000);

test.skipIf(process.geteuid?.() !== 0)(
  "files of another user, and who needs them",
  async () => {
    const { DATA_DIR, file } = await database();
    const as = { user: NOBODY, cwd: tmpdir() };
    chownSync(DATA_DIR, NOBODY, NOBODY);
    expect(await failedStart({ DATA_DIR }, as)).toMatchObject({
      file,
      owner: 0,
      user: NOBODY,
      cause: "denied",
      driver_code: "EACCES",
      error: `${file} belongs to user 0, and this process runs as user ${NOBODY}`,
    });
    const other = folder();
    chmodSync(other, 0o755);
    expect(await failedStart({ DATA_DIR: join(other, "data") }, as)).toMatchObject({
      file: other,
      owner: 0,
      user: NOBODY,
    });
    const held = join(other, "held");
    mkdirSync(held, { mode: 0o700 });
    expect(await failedStart({ DATA_DIR: held }, as)).toMatchObject({ file: held, owner: 0 });
  },
  30_000,
);
