import { afterEach, beforeEach, expect, test } from "vitest";
import type { Conversations, Path } from "../../../src/core/conversations/conversations.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { fill, openWatched } from "../support/plans.ts";
import { ann, codeOf, movingClock, talk, turn } from "../support/talk.ts";

eachDatabase("the window of a conversation", (kind) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase(kind);
    await database.open();
  });
  afterEach(() => database.drop());

  test("of a long chat is whole over the edges of pages, in a few queries", async () => {
    await fill(database, ann, 1, 300);
    const { conversations, queries, close } = await openWatched(database);
    const id = (await conversations.list(ann))[0]!.id;
    const depths = async (maxMessages: number) => {
      queries.splice(0);
      const { messages, omitted } = await conversations.path(ann, id, { maxMessages });
      checkChain(messages);
      return [messages.length, omitted, queries.length];
    };
    // The first query is for the conversation itself.
    expect(await depths(128)).toEqual([128, 472, 2]);
    expect(await depths(130)).toEqual([130, 470, 3]);
    expect(await depths(384)).toEqual([384, 216, 3]);
    expect(await depths(2_000)).toEqual([600, 0, 4]);
    await close();
  });

  test("leaves other branches out, however many lie between", async () => {
    const clock = movingClock();
    const { conversations } = await database.open({ clock });
    const { id } = await conversations.create(ann);
    let parentId: string | null = null;
    const path: string[] = [];
    const aside: string[] = [];
    // Now and then a branch, then more of them than a page has.
    for (let at = 0; at < 40; at++) {
      const branches = at === 20 ? 90 : Number(at % 3 === 1);
      const last = parentId;
      clock.pass(1);
      const { answerId }: { answerId: string } = await say(conversations, id, last, `${at}`);
      for (let branch = 0; branch < branches; branch++) {
        clock.pass(1);
        aside.push((await say(conversations, id, last, `aside ${at}`)).answerId);
      }
      parentId = answerId;
      path.push(`${at}`, `${at}`);
    }
    const leafId = parentId!;
    const texts = async (query: object) => textsOf(await conversations.path(ann, id, query));
    expect(await texts({})).toEqual(path);
    expect(await texts({ leafId, maxMessages: 50 })).toEqual(path.slice(-50));
    // less than the whole tree has
    expect(await texts({ leafId, maxCharacters: 100 })).toEqual(path.slice(-50));
    expect(await texts({ leafId: aside.at(-1)! })).toEqual([
      ...path.slice(0, 74),
      "aside 37",
      "aside 37",
    ]);
    expect(await texts({ leafId: aside.at(7)! })).toEqual([
      ...path.slice(0, 40),
      "aside 20",
      "aside 20",
    ]);
    expect(await codeOf(conversations.path(ann, id, { leafId: "unknown" }))).toBe(
      "message_not_found",
    );
  }, 30_000);

  test("is in order although a clock stepped back, and although two clocks differ", async () => {
    const clock = movingClock();
    const { conversations } = await database.open({ clock });
    const { id } = await conversations.create(ann);
    let parentId: string | null = null;
    const path: string[] = [];
    for (const [at, ms] of [1, 1, -60_000, 1, 1, 9_000, -5_000, 9_000, -5_000, 9_000].entries()) {
      clock.pass(ms);
      parentId = (await say(conversations, id, parentId, `${at}`)).answerId;
      path.push(`${at}`, `${at}`);
      expect(await conversations.path(ann, id)).toMatchObject({ leafId: parentId, omitted: 0 });
      expect(textsOf(await conversations.path(ann, id))).toEqual(path);
      const cut = await conversations.path(ann, id, { maxMessages: 6 });
      expect(textsOf(cut)).toEqual(path.slice(-6));
      expect(cut.omitted).toBe(Math.max(0, path.length - 6));
    }
  });

  test("is all that is read of a chat that is larger", async () => {
    const clock = movingClock();
    const { conversations, rows, close } = await openWatched(database, clock);
    const { id } = await conversations.create(ann);
    let parentId: string | null = null;
    for (let at = 0; at < 6; at++) {
      clock.pass(1);
      parentId = (await say(conversations, id, parentId, "x".repeat(50_000))).answerId;
    }
    const read = async (maxCharacters: number) => {
      rows.splice(0);
      const { messages, omitted } = await conversations.path(ann, id, { maxCharacters });
      return [messages.length, omitted, Math.round(JSON.stringify(rows).length / 100_000)];
    };
    expect(await read(250_000)).toEqual([4, 8, 2]);
    expect(await read(600_000)).toEqual([12, 0, 6]);
    // Of the leaf it is told how deep it is.
    expect(await read(99_999)).toEqual([0, 12, 1]);
    await close();
  });

  test("is read as well where it is sealed", async () => {
    const secretKeys = { current: "a-secret-key-0123456789-abcdefghi", old: [] };
    const { conversations } = await database.open({ secretKeys });
    const { id } = await conversations.create(ann);
    const [first] = await talk(conversations, ann, id, 3);
    await conversations.appendTurn(ann, id, turn(first!.answerId));
    expect(textsOf(await conversations.path(ann, id))).toEqual(["q0", "a0", "question", "answer"]);
  });
});

function say(conversations: Conversations, id: string, parentId: string | null, text: string) {
  return conversations.appendTurn(ann, id, turn(parentId, { question: text, answer: text }));
}

function textsOf({ messages }: Path) {
  return messages.map(({ content }) => content);
}

function checkChain(messages: Path["messages"]): void {
  for (const [at, { parentId }] of messages.entries()) {
    if (at > 0) expect(parentId).toBe(messages[at - 1]?.id);
  }
}
