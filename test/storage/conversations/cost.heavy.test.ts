import { expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { Conversations } from "../../../src/core/conversations/conversations.ts";
import { createDatabase, eachDatabase, type Kind } from "../support/databases.ts";
import { fill, fullScans, openWatched } from "../support/plans.ts";
import { ann, exported, turn } from "../support/talk.ts";

const windowMessages = 20;
const samples = 200;

eachDatabase("the cost of a conversation", (kind) => {
  test("grows neither with its length nor with how many there are", async () => {
    const small = await measure(kind, 10, 10);
    const large = await measure(kind, 1_000, 100);
    const line = (name: string, { pathUs, appendUs }: Costs) =>
      `${kind} ${name}: path of ${windowMessages} ${pathUs} µs, append ${appendUs} µs\n`;
    process.stdout.write(line("10 conversations of 20 messages", small));
    process.stdout.write(line("1,000 conversations of 200 messages", large));
    // Times are for people to read; what is asserted does not depend on the machine.
    expect(large.rows).toEqual(small.rows);
    expect(large.statements).toEqual(small.statements);
  }, 120_000);

  test("no operation reads a whole table", async () => {
    const database = await createDatabase(kind);
    await database.open();
    await fill(database, "key:others", 1_000, 40);
    const { conversations, queries, close } = await openWatched(database);
    try {
      await useAll(conversations);
      expect(queries.length).toBeGreaterThan(20);
      expect(await fullScans(database, queries)).toEqual([]);
    } finally {
      await close();
      await database.drop();
    }
  }, 60_000);
});

interface Costs {
  /** Medians. */
  readonly pathUs: number;
  readonly appendUs: number;
  readonly rows: number;
  readonly statements: number;
}

async function measure(kind: Kind, count: number, turns: number): Promise<Costs> {
  const database = await createDatabase(kind);
  await database.open();
  await fill(database, ann, count, turns);
  // every turn in a millisecond of its own: the ids of two in one are in any order
  let now = Date.now();
  const clock = { ...systemClock, wallMs: () => ++now };
  const { conversations, queries, close } = await openWatched(database, clock);
  try {
    const ids = (await conversations.list(ann)).map((one) => one.id);
    const paths: number[] = [];
    const appends: number[] = [];
    let rows = 0;
    queries.splice(0);
    for (let at = 0; at < samples; at++) {
      const id = ids[(at * 7) % ids.length] ?? "";
      const startMs = performance.now();
      const { messages, leafId } = await conversations.path(ann, id, {
        maxMessages: windowMessages,
      });
      const readMs = performance.now();
      await conversations.appendTurn(ann, id, turn(leafId, { onlyAtNewest: true }));
      paths.push(readMs - startMs);
      appends.push(performance.now() - readMs);
      rows += messages.length;
    }
    const statements = queries.length;
    return { pathUs: medianUs(paths), appendUs: medianUs(appends), rows, statements };
  } finally {
    await close();
    await database.drop();
  }
}

function medianUs(times: readonly number[]): number {
  return Math.round((times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0) * 1_000);
}

/** Every operation at least once, with every branch that has queries of its own. */
async function useAll(store: Conversations): Promise<void> {
  const { id } = await store.create(ann, { name: "chat", systemPrompt: "p" });
  await store.findByName(ann, "chat");
  const { answerId } = await store.appendTurn(ann, id, turn(null));
  await store.appendTurn(ann, id, turn(answerId));
  const { leafId } = await store.path(ann, id, { maxMessages: 2 });
  await store.path(ann, id, { leafId: answerId });
  await store.path(ann, id, { maxCharacters: 20 });
  await store.checkTurn(ann, id, turn(null));
  const claimId = await store.claim(ann, id, { parentId: leafId, untilMs: Date.now() + 1_000 });
  await store.release(ann, id, claimId);
  await store.setSystemPrompt(ann, id, "q");
  await store.tree(ann, id);
  const [first] = await store.list(ann, { named: true });
  if (first !== undefined) await store.list(ann, { after: first });
  await exported(store, ann);
  await store.clear(ann, id);
  await store.delete(ann, id);
  await store.create(ann, { lifetimeMs: -1 });
  await store.sweep();
  await store.create(ann, { lifetimeMs: -1 });
  await store.create(ann, { maxConversations: 1 });
  await store.deleteEverything(ann);
}
