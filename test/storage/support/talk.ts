import type {
  Conversations,
  ExportedItem,
  NewTurn,
  StoredTurn,
} from "../../../src/core/conversations/conversations.ts";
import { ProxyError } from "../../../src/core/errors.ts";
import type { Clock } from "../../../src/core/ports.ts";
import { noon } from "./calls.ts";

export const ann = "token:ann";
export const bob = "key:bob";

export interface MovingClock extends Clock {
  pass(ms: number): void;
}

/** Time that moves only when it is told to. */
export function movingClock(startMs = noon): MovingClock {
  let now = startMs;
  return {
    wallMs: () => now,
    monotonicMs: () => now,
    sleep: async () => undefined,
    pass: (ms) => {
      now += ms;
    },
  };
}

export function turn(parentId: string | null, changes: Partial<NewTurn> = {}): NewTurn {
  return { parentId, onlyAtNewest: false, question: "question", answer: "answer", ...changes };
}

/** Appends so many turns, each after the one before. */
export async function talk(
  conversations: Conversations,
  owner: string,
  id: string,
  turns: number,
  parentId: string | null = null,
): Promise<readonly StoredTurn[]> {
  const stored: StoredTurn[] = [];
  for (let at = 0; at < turns; at++) {
    const parent = stored.at(-1)?.answerId ?? parentId;
    const texts = { question: `q${at}`, answer: `a${at}` };
    stored.push(await conversations.appendTurn(owner, id, turn(parent, texts)));
  }
  return stored;
}

/** The code of what was thrown, or "done". */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (error instanceof ProxyError && error.code !== "internal") return error.code;
    throw error;
  }
}

export async function exported(
  conversations: Conversations,
  owner: string,
): Promise<readonly ExportedItem[]> {
  return Array.fromAsync(conversations.export(owner));
}

/** Throws unless every message has its parent, every question its answer, and all are counted. */
export async function checkWhole(conversations: Conversations, owner: string): Promise<number> {
  const items = await exported(conversations, owner);
  const messages = items.filter((item) => item.type === "message");
  const ids = new Set(messages.map((message) => message.id));
  const answered = new Set(
    messages.filter((one) => one.role === "assistant").map((one) => one.parentId),
  );
  for (const message of messages) {
    if (message.parentId !== null && !ids.has(message.parentId)) throw new Error("an orphan");
    if (message.role === "user" && !answered.has(message.id)) throw new Error("half a turn");
  }
  const counted = items.reduce(
    (sum, item) => sum + (item.type === "conversation" ? item.messages : 0),
    0,
  );
  if (counted !== messages.length) throw new Error(`${counted} counted, ${messages.length} there`);
  return messages.length;
}
