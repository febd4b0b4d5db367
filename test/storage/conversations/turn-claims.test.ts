import { expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { createTurnClaims } from "../../../src/storage/conversations/turn-claims.ts";
import { createDatabase, eachDatabase } from "../support/databases.ts";
import { ann, codeOf, movingClock, turn } from "../support/talk.ts";

const onError = (error: Error) => {
  throw error;
};

eachDatabase("a claim on the next turn", (kind) => {
  test("is renewed as long as it is held, and not when it was given back", async () => {
    const database = await createDatabase(kind);
    const { conversations } = await database.open();
    const { id } = await conversations.create(ann, { name: "chat" });
    const extended = Promise.withResolvers<string>();
    const watched = {
      ...conversations,
      async extend(owner: string, chat: string, claimId: string, untilMs: number) {
        await conversations.extend(owner, chat, claimId, untilMs);
        extended.resolve(claimId);
      },
    };
    const options = { conversations: watched, clock: systemClock, onError };
    const claims = createTurnClaims({ ...options, leaseMs: 60_000, renewMs: 5 });
    const held = await claims.take(ann, id, { parentId: null });
    expect(await extended.promise).toBe(held.id);
    expect(await codeOf(claims.take(ann, id, { parentId: null }))).toBe("conversation_conflict");
    await held.release();
    const again = await claims.take(ann, id, { parentId: null });
    await conversations.appendTurn(ann, id, turn(null, { claimId: again.id }));
    again.done();
    await claims.end();
    await database.drop();
  });

  test("of a process that died is over with its lease", async () => {
    const database = await createDatabase(kind);
    const clock = movingClock();
    const { conversations } = await database.open({ clock });
    const { id } = await conversations.create(ann, { name: "chat" });
    const dead = createTurnClaims({ conversations, clock, onError });
    const lost = await dead.take(ann, id, { parentId: null });
    await dead.end();
    const alive = createTurnClaims({ conversations, clock, onError });
    expect(await codeOf(alive.take(ann, id, { parentId: null }))).toBe("conversation_conflict");
    clock.pass(30_001);
    const next = await alive.take(ann, id, { parentId: null });
    expect(await codeOf(conversations.appendTurn(ann, id, turn(null, { claimId: lost.id })))).toBe(
      "conversation_conflict",
    );
    await conversations.appendTurn(ann, id, turn(null, { claimId: next.id }));
    await alive.end();
    await database.drop();
  });
});
