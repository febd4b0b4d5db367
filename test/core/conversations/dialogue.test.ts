import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { Call } from "../../../src/core/call/call.ts";
import { type CallSignal, LightSignal } from "../../../src/core/call/call.ts";
import type { AnswerEvent, ChatRequest, Completion } from "../../../src/core/call/messages.ts";
import type { Conversations } from "../../../src/core/conversations/conversations.ts";
import { createDialogue } from "../../../src/core/conversations/dialogue.ts";
import { createRunningTurns } from "../../../src/core/conversations/running-turns.ts";
import type { Dialogue, TurnRequest } from "../../../src/core/conversations/turn.ts";
import { ProxyError } from "../../../src/core/errors.ts";
import { createTurnClaims } from "../../../src/storage/conversations/turn-claims.ts";
import { createDatabase } from "../../storage/support/databases.ts";
import { codeOf, exported } from "../../storage/support/talk.ts";

const database = await createDatabase("sqlite");
const { conversations } = await database.open();
const ended: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ended) await end();
  await database.drop();
});

/** Nobody waits for it: the pipeline below does not look at it. */
const call = { signal: new LightSignal() as CallSignal } as Call;
const completion = (text: string): Completion => ({
  text,
  model: "m",
  finishReason: "stop",
  usage: null,
  upstreamId: null,
});
const delta = (text: string): AnswerEvent => ({ type: "text-delta", text });

interface Stage {
  readonly owner: string;
  readonly dialogue: Dialogue;
  readonly asked: ChatRequest[];
  request(changes?: Partial<TurnRequest>): TurnRequest;
}

let owners = 0;

/** A dialogue whose upstream says this: the pieces of an answer, or what it throws instead. */
function stage(
  answer: readonly (string | ProxyError)[],
  store: Partial<Conversations> = {},
): Stage {
  const asked: ChatRequest[] = [];
  const owner = `token:${owners++}`;
  const kept = { ...conversations, ...store };
  const claims = createTurnClaims({
    conversations: kept,
    clock: systemClock,
    onError: (error) => {
      throw error;
    },
  });
  ended.push(claims.end);
  const first = answer[0];
  const dialogue = createDialogue({
    conversations: kept,
    claims,
    running: createRunningTurns(),
    contextTokens: null,
    maxConversationsOf: () => undefined,
    pipeline: {
      async completeAndKeep(_call, request, keep) {
        asked.push(request);
        if (first instanceof ProxyError) throw first;
        return keep(completion(answer.join("")));
      },
      async stream(_call, request) {
        asked.push(request);
        if (first instanceof ProxyError) throw first;
        return eventsOf(answer);
      },
    },
  });
  const request = (changes: Partial<TurnRequest> = {}): TurnRequest => ({
    owner,
    conversationId: null,
    parentId: null,
    onlyAtNewest: false,
    question: "question",
    model: "gpt-4o",
    ...changes,
  });
  return { owner, dialogue, asked, request };
}

async function* eventsOf(answer: readonly (string | ProxyError)[]): AsyncGenerator<AnswerEvent> {
  for (const piece of answer) {
    if (piece instanceof ProxyError) throw piece;
    yield delta(piece);
  }
  yield { type: "answer-end", completion: completion(answer.join("")) };
}

const kinds = async (owner: string) =>
  (await exported(conversations, owner)).map((item) =>
    item.type === "message" ? item.state : "conversation",
  );
const failed = new ProxyError("upstream_failed");

describe("a turn", () => {
  test("carries the prompt and the history, and is stored before its end is told", async () => {
    const { owner, dialogue, asked, request } = stage(["an", "swer"]);
    const chat = await conversations.create(owner, { name: "chat", systemPrompt: "be brief" });
    const linear = request({ conversationId: chat.id, onlyAtNewest: true });
    await dialogue.ask(call, linear);
    for await (const event of await dialogue.stream(call, linear)) {
      if (event.type !== "turn-end") continue;
      expect(await kinds(owner)).toHaveLength(5);
      expect(event.turn).toMatchObject({ conversationId: chat.id, omitted: 0 });
    }
    expect(asked.at(-1)?.messages).toEqual([
      { role: "system", content: "be brief" },
      { role: "user", content: "question" },
      { role: "assistant", content: "answer" },
      { role: "user", content: "question" },
    ]);
  });

  test("keeps others out of a chat until it is stored or has come to nothing", async () => {
    const { owner, dialogue, request } = stage(["one", failed]);
    const { id } = await conversations.create(owner, { name: "chat" });
    const linear = request({ conversationId: id, onlyAtNewest: true });
    const events = await dialogue.stream(call, linear);
    expect(await codeOf(dialogue.ask(call, linear))).toBe("conversation_conflict");
    expect(await codeOf(Array.fromAsync(events))).toBe("upstream_failed");
    // what broke was stored, and gave the place back
    expect(await kinds(owner)).toEqual(["conversation", "complete", "interrupted"]);
    await dialogue.ask(call, linear);
  });

  test("that fails before its first piece leaves nothing, not even its conversation", async () => {
    for (const answer of [[failed], ["", failed]]) {
      const { owner, dialogue, request } = stage(answer);
      const asking = dialogue.stream(call, request()).then((events) => Array.fromAsync(events));
      expect(await codeOf(asking)).toBe("upstream_failed");
      expect(await kinds(owner)).toEqual([]);
    }
    const { owner, dialogue, request } = stage([failed]);
    expect(await codeOf(dialogue.ask(call, request()))).toBe("upstream_failed");
    expect(await kinds(owner)).toEqual([]);
  });

  test("whose reader leaves is kept as far as it came", async () => {
    const { owner, dialogue, request } = stage(["one", "two", "three"]);
    for await (const event of await dialogue.stream(call, request())) {
      if (event.type === "text-delta" && event.text === "two") break;
    }
    const [, , answer] = await exported(conversations, owner);
    expect(answer).toMatchObject({ content: "onetwo", state: "interrupted" });
  });

  test("that cannot be stored is told, not stored twice, and gives its place back", async () => {
    let appended = 0;
    const { owner, dialogue, request } = stage(["answer"], {
      appendTurn: () => {
        appended += 1;
        return Promise.reject(new ProxyError("storage_unavailable"));
      },
    });
    const { id } = await conversations.create(owner, { name: "chat" });
    const linear = request({ conversationId: id, onlyAtNewest: true });
    expect(await codeOf(dialogue.ask(call, linear))).toBe("storage_unavailable");
    const events = await dialogue.stream(call, linear);
    expect(await codeOf(Array.fromAsync(events))).toBe("storage_unavailable");
    expect(appended).toBe(2);
    await conversations.claim(owner, id, { parentId: null, untilMs: systemClock.wallMs() + 1_000 });
  });

  test("whose conversation another process has deleted is given, and not kept", async () => {
    const { owner, dialogue, request } = stage(["answer"], {
      appendTurn: () => Promise.reject(new ProxyError("conversation_not_found")),
    });
    const { id } = await conversations.create(owner, { name: "chat" });
    const linear = request({ conversationId: id, onlyAtNewest: true });
    const turn = await dialogue.ask(call, linear);
    expect(turn).toMatchObject({ answerId: "", completion: { text: "answer" } });
    await conversations.delete(owner, id);
    expect(await exported(conversations, owner)).toEqual([]);
  });

  test("that has no room is refused before anything is asked", async () => {
    const { owner, dialogue, asked, request } = stage(["answer"]);
    const question = "x".repeat(4_194_305);
    expect(await codeOf(dialogue.ask(call, request({ question })))).toBe("message_too_large");
    expect(asked).toEqual([]);
    expect(await kinds(owner)).toEqual([]);
  });
});
