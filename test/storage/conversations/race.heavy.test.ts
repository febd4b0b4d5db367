import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import {
  createDatabase,
  eachDatabase,
  type Kind,
  rounds,
  type TestDatabase,
} from "../support/databases.ts";
import { endOf, messageOf } from "../support/processes.ts";
import { ann, checkWhole, codeOf, talk, turn } from "../support/talk.ts";
import { startTalker } from "../support/talk-processes.ts";

/** Time to talk before the kill: some of it falls into every step of a transaction. */
const mostBusyMs = 120;
const quietDeadline = { timeout: 10_000 };
/** Half of what ROUNDS says: each of these rounds checks all that is stored. */
const kills = Math.max(1, Math.ceil(rounds / 2));

eachDatabase("turns at once", (kind) => {
  test("of 200 on one chat one is stored, and the others are conflicts", async () => {
    await withDatabase(kind, async (database) => {
      const { conversations } = await database.open();
      const { id } = await conversations.create(ann, { name: "chat" });
      const [first] = await talk(conversations, ann, id, 1);
      const codes = await Promise.all(
        Array.from({ length: 200 }, () =>
          codeOf(conversations.appendTurn(ann, id, turn(first!.answerId, { onlyAtNewest: true }))),
        ),
      );
      expect(counted(codes)).toEqual({ done: 1, conversation_conflict: 199 });
      expect(await checkWhole(conversations, ann)).toBe(4);
    });
  }, 30_000);

  test("of 200 branches at once none is lost", async () => {
    await withDatabase(kind, async (database) => {
      const { conversations } = await database.open({
        conversations: { limits: { childrenPerMessage: 150 } },
      });
      const { id } = await conversations.create(ann);
      const [first] = await talk(conversations, ann, id, 1);
      const codes = await Promise.all(
        Array.from({ length: 200 }, () =>
          codeOf(conversations.appendTurn(ann, id, turn(first!.answerId))),
        ),
      );
      expect(counted(codes)).toEqual({ done: 150, conversation_full: 50 });
      expect(await checkWhole(conversations, ann)).toBe(302);
    });
  }, 30_000);

  test("a name that is taken and freed by many at once is only ever a conflict", async () => {
    await withDatabase(kind, async (database) => {
      const { conversations } = await database.open();
      const lanes = Array.from({ length: 20 }, async () => {
        const codes: string[] = [];
        for (let times = 0; times < 20; times += 1) {
          codes.push(await codeOf(conversations.create(ann, { name: "chat" })));
          const chat = await conversations.findByName(ann, "chat");
          if (chat !== null) await conversations.delete(ann, chat.id);
        }
        return codes;
      });
      const codes = counted((await Promise.all(lanes)).flat());
      expect(Object.keys(codes).sort()).toEqual(["conversation_conflict", "done"]);
      expect(await conversations.list(ann)).toEqual([]);
      await conversations.create(ann, { name: "chat", maxConversations: 1 });
    });
  }, 30_000);

  test("of 200 claims at once one is granted", async () => {
    await withDatabase(kind, async (database) => {
      const { conversations } = await database.open();
      const { id } = await conversations.create(ann);
      const claim = { parentId: null, untilMs: Date.now() + 60_000 };
      const codes = await Promise.all(
        Array.from({ length: 200 }, () => codeOf(conversations.claim(ann, id, claim))),
      );
      expect(counted(codes)).toEqual({ done: 1, conversation_conflict: 199 });
    });
  }, 30_000);

  test("two processes with 100 turns each store one between them", async () => {
    await withDatabase(kind, async (database) => {
      const { conversations } = await database.open();
      const { id } = await conversations.create(ann);
      const work = { place: database.place, kind: "race", id, parallel: 100 } as const;
      const talkers = await Promise.all([startTalker(work), startTalker(work)]);
      const answers = talkers.map((talker) => messageOf(talker));
      for (const talker of talkers) talker.send("go");
      const codes = (await Promise.all(answers)).flat().map(String);
      expect(counted(codes)).toEqual({ done: 1, conversation_conflict: 199 });
      expect(await checkWhole(conversations, ann)).toBe(2);
      await Promise.all(talkers.map((talker) => endOf(talker)));
    });
  }, 60_000);

  test("turns that are stored while a chat is cleared or deleted leave no orphan", async () => {
    await withDatabase(kind, async (database) => {
      const { conversations } = await database.open();
      for (let round = 0; round < 10; round++) {
        const { id } = await conversations.create(ann);
        const [first] = await talk(conversations, ann, id, 1);
        const place = turn(first!.answerId);
        const grow = () => codeOf(conversations.appendTurn(ann, id, place));
        await Promise.all([
          ...Array.from({ length: 10 }, grow),
          round % 2 === 0 ? conversations.clear(ann, id) : conversations.delete(ann, id),
          ...Array.from({ length: 10 }, grow),
        ]);
        await checkWhole(conversations, ann);
      }
    });
  }, 60_000);
});

eachDatabase("kill -9", (kind) => {
  test(
    `leaves no orphan, no half turn, and loses none that was acknowledged, in ${kills} rounds`,
    () => withDatabase(kind, killAndCheck),
    20_000 + kills * 5_000,
  );
});

async function killAndCheck(database: TestDatabase): Promise<void> {
  const { conversations } = await database.open({
    conversations: { limits: { messagesPerConversation: 1_000_000 } },
  });
  const { id } = await conversations.create(ann);
  const acknowledged: string[] = [];
  for (let round = 0; round < kills; round++) {
    const work = { place: database.place, kind: "endless", id, parallel: 6 } as const;
    const talkers = await Promise.all([startTalker(work), startTalker(work)]);
    // Two processes that start on a busy machine may be slow to store anything.
    const stored = Promise.race(talkers.map((talker) => messageOf(talker)));
    for (const talker of talkers) {
      talker.on("message", (question) => acknowledged.push(String(question)));
      talker.send("go");
    }
    await stored;
    await sleep(Math.random() * mostBusyMs);
    for (const talker of talkers) talker.kill("SIGKILL");
    await Promise.all(talkers.map((talker) => endOf(talker)));
    await quiet(database);
    await checkWhole(conversations, ann);
  }
  const { messages, omitted } = await conversations.path(ann, id);
  const asked = messages.map((message) => message.content);
  expect(omitted).toBe(0);
  expect(new Set(asked.filter((text) => text !== "answer")).size * 2).toBe(asked.length);
  expect(acknowledged.filter((question) => !asked.includes(question))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThanOrEqual(kills);
}

/** What a dead process had sent to Postgres may still be running there. */
async function quiet({ place }: TestDatabase): Promise<void> {
  if (place.databaseUrl == null) return;
  const client = new pg.Client({ connectionString: place.databaseUrl });
  await client.connect();
  const others = `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'`;
  try {
    await expect.poll(async () => (await client.query(others)).rowCount, quietDeadline).toBe(0);
  } finally {
    await client.end();
  }
}

async function withDatabase(
  kind: Kind,
  work: (database: TestDatabase) => Promise<void>,
): Promise<void> {
  const database = await createDatabase(kind);
  try {
    await work(database);
  } finally {
    await database.drop();
  }
}

function counted(codes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
