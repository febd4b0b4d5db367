import { once } from "node:events";
import { systemClock } from "../../../src/clock.ts";
import type { Conversations } from "../../../src/core/conversations/conversations.ts";
import { openStorage } from "../../../src/storage/open.ts";
import { ann, codeOf, turn } from "./talk.ts";
import type { Talk } from "./talk-processes.ts";

/** Runs in a process of its own; see talk-processes.ts. */
const [work] = (await once(process, "message")) as [Talk];
const storage = await openStorage({
  ...work.place,
  clock: systemClock,
  // Many rounds of kills make a long conversation.
  conversations: { limits: { messagesPerConversation: 1_000_000, bytesPerConversation: 1e9 } },
});
process.send?.("ready");
await once(process, "message");
if (work.kind === "race") process.send?.(await race(storage.conversations, work));
else await talkWithoutEnd(storage.conversations, work);
await storage.close();
process.disconnect?.();

/** So many turns at once on one chat, all after the same answer; says what became of each. */
async function race(conversations: Conversations, { id, parallel }: Talk): Promise<string[]> {
  return Promise.all(
    Array.from({ length: parallel }, (_, at) => {
      const last = turn(null, { onlyAtNewest: true, question: `${at}` });
      return codeOf(conversations.appendTurn(ann, id, last));
    }),
  );
}

/** Every kind of change on one conversation and on others, until it is killed. */
async function talkWithoutEnd(conversations: Conversations, { id, parallel }: Talk): Promise<void> {
  await Promise.all(
    Array.from({ length: parallel }, async (_, lane) => {
      for (let at = 0; ; at++) {
        if (lane === 0) await churn(conversations, at);
        else await grow(conversations, id, `${process.pid} ${lane} ${at}`);
      }
    }),
  );
}

/** Acknowledges a turn by its question, which no other turn has. */
async function grow(conversations: Conversations, id: string, question: string): Promise<void> {
  const { leafId } = await conversations.path(ann, id, { maxMessages: 2 });
  const place = { parentId: leafId, onlyAtNewest: true, question };
  const code = await codeOf(conversations.appendTurn(ann, id, turn(leafId, place)));
  if (code === "done") process.send?.(question);
  else if (code !== "conversation_conflict") throw new Error(code);
}

async function churn(conversations: Conversations, at: number): Promise<void> {
  const { id } = await conversations.create(ann);
  const { answerId } = await conversations.appendTurn(ann, id, turn(null));
  await conversations.appendTurn(ann, id, turn(answerId));
  if (at % 3 === 0) await conversations.clear(ann, id);
  await conversations.delete(ann, id);
}
