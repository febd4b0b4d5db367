import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import type { Conversations } from "../../../src/core/conversations/conversations.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { ann, bob, exported, turn } from "../support/talk.ts";

const firstKey = "first-secret-key-0123456789abcdef";
const secondKey = "second-secret-key-0123456789abcde";
const lostKey = "lost-secret-key-0123456789abcdef0";
const planted = "PLANTED-c0ntent";

eachDatabase("sealed conversations", (kind) => {
  test("nothing that was said or named is in the database, and all of it can be read", async () => {
    const database = await createDatabase(kind);
    try {
      const { conversations } = await database.open({
        secretKeys: { current: firstKey, old: [] },
      });
      await plant(conversations);
      expect(await bytesOf(database)).not.toContain(planted);
      expect(JSON.stringify(await exported(conversations, ann)).split(planted)).toHaveLength(6);
      expect(await conversations.globalPrompt()).toBe(planted);
      expect(await conversations.findByName(ann, planted)).not.toBeNull();
      expect(await conversations.findByName(bob, planted)).toBeNull();
    } finally {
      await database.drop();
    }
  }, 20_000);

  test("the same look finds plain text where nothing is sealed", async () => {
    const database = await createDatabase(kind);
    try {
      const { conversations } = await database.open();
      await plant(conversations);
      expect(await bytesOf(database)).toContain(planted);
    } finally {
      await database.drop();
    }
  }, 20_000);

  test("what is sealed again needs the old key no more, and what no key opens is named", async () => {
    const database = await createDatabase(kind);
    try {
      const open = (current: string, old: string[]) =>
        database.open({ secretKeys: { current, old } });
      const first = await open(firstKey, []);
      await plant(first.conversations);
      const before = JSON.stringify(await exported(first.conversations, ann));
      const lost = (await (await open(lostKey, [])).conversations.create(bob, { name: "lost" })).id;
      const rotated = await open(secondKey, [firstKey]);
      const done = await rotated.reseal();
      const failed = [{ kind: "conversation", id: lost }];
      expect(done).toEqual({ resealed: 0, upstreams: 0, texts: 7, failed });
      expect(await rotated.reseal()).toEqual({ ...done, texts: 0 });
      const { conversations } = await open(secondKey, []);
      expect(JSON.stringify(await exported(conversations, ann))).toBe(before);
      expect(await conversations.globalPrompt()).toBe(planted);
      expect(await conversations.findByName(ann, planted)).not.toBeNull();
    } finally {
      await database.drop();
    }
  }, 20_000);

  test("a new key, no more encryption and encryption again all read and find what was", async () => {
    const database = await createDatabase(kind);
    try {
      const open = async (current: string | null, old: string[], encryptContent: boolean) =>
        (await database.open({ secretKeys: { current, old }, conversations: { encryptContent } }))
          .conversations;
      await (await open(null, [], false)).create(ann, { name: "plain", systemPrompt: "0" });
      await (await open(firstKey, [], true)).create(ann, { name: "first", systemPrompt: "1" });
      const rotated = await open(secondKey, [firstKey], true);
      await rotated.create(ann, { name: "second", systemPrompt: "2" });
      for (const store of [rotated, await open(secondKey, [firstKey], false)]) {
        for (const [at, name] of ["plain", "first", "second"].entries()) {
          const found = await store.findByName(ann, name);
          expect(found).toMatchObject({ name, systemPrompt: String(at) });
          await expect(store.create(ann, { name })).rejects.toMatchObject({
            code: "conversation_conflict",
          });
        }
      }
      const lost = await open(secondKey, [], true);
      expect(await lost.findByName(ann, "first")).toBeNull();
      await expect(lost.list(ann)).rejects.toMatchObject({ code: "internal" });
      await expect(open(null, [], true)).rejects.toThrow("SECRET_KEY");
    } finally {
      await database.drop();
    }
  }, 20_000);

  test("a text that was moved to another message or conversation does not open", async () => {
    const database = await createDatabase(kind);
    try {
      const { conversations } = await database.open({
        secretKeys: { current: firstKey, old: [] },
      });
      const { id } = await conversations.create(ann);
      await conversations.appendTurn(ann, id, turn(null, { question: "one", answer: "two" }));
      await run(database, "UPDATE turns SET answer = question");
      await expect(conversations.path(ann, id)).rejects.toMatchObject({ code: "internal" });
    } finally {
      await database.drop();
    }
  }, 20_000);
});

/** Five times in what an owner can export: name, prompt, question, answer and a part. */
async function plant(conversations: Conversations): Promise<void> {
  const { id } = await conversations.create(ann, { name: planted, systemPrompt: planted });
  const { answerId } = await conversations.appendTurn(
    ann,
    id,
    turn(null, { question: planted, answer: planted }),
  );
  const parts = [{ type: "text", text: planted }] as const;
  await conversations.appendTurn(ann, id, turn(answerId, { question: parts }));
  await conversations.setGlobalPrompt(planted);
}

/** Everything the database keeps: the files of SQLite with the log, or all rows of Postgres. */
async function bytesOf(database: TestDatabase): Promise<string> {
  const { sqliteFile } = database.place;
  if (sqliteFile != null) {
    const folder = dirname(sqliteFile);
    return readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), "latin1"))
      .join();
  }
  const tables = ["conversations", "turns", "settings"];
  const rows = await Promise.all(tables.map((table) => run(database, `SELECT * FROM ${table}`)));
  return JSON.stringify(rows);
}

async function run(database: TestDatabase, statement: string): Promise<unknown> {
  const { databaseUrl, sqliteFile } = database.place;
  if (databaseUrl == null) {
    const { DatabaseSync } = await import("node:sqlite");
    const file = new DatabaseSync(sqliteFile ?? "");
    file.exec(statement);
    file.close();
    return null;
  }
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
