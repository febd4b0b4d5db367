import type { Call } from "../call/call.ts";
import {
  type AnswerEvent,
  type ChatMessage,
  type ChatRequest,
  type Completion,
  type Content,
  createGatheredText,
} from "../call/messages.ts";
import type { Pipeline } from "../call/pipeline.ts";
import { toProxyError } from "../errors.ts";
import { charactersOf, newestThatFit, roomForHistory } from "./context-window.ts";
import type { Conversations, MessageState, Path, StoredTurn } from "./conversations.ts";
import type { RunningTurn, RunningTurns } from "./running-turns.ts";
import type { Dialogue, Turn, TurnClaim, TurnClaims, TurnEvent, TurnRequest } from "./turn.ts";

export interface DialogueOptions {
  readonly conversations: Conversations;
  readonly claims: TurnClaims;
  readonly running: RunningTurns;
  readonly pipeline: Pick<Pipeline, "completeAndKeep" | "stream">;
  /** Context window of all models; null: the known one of each. */
  readonly contextTokens: number | null;
  /** Overrides the limit per owner for new conversations. */
  readonly maxConversationsOf: (owner: string) => number | undefined;
}

export function createDialogue(options: DialogueOptions): Dialogue {
  const { pipeline } = options;
  return {
    async ask(call, request) {
      const turn = await prepareTurn(options, call, request);
      try {
        return await pipeline.completeAndKeep(turn.call, turn.request, turn.store);
      } catch (error) {
        await turn.abandon("");
        throw error;
      } finally {
        turn.over();
      }
    },
    async stream(call, request) {
      const turn = await prepareTurn(options, call, request);
      try {
        return storeWhilePassing(await pipeline.stream(turn.call, turn.request), turn);
      } catch (error) {
        turn.over();
        await turn.abandon("");
        throw error;
      }
    },
  };
}

async function* storeWhilePassing(
  events: AsyncIterable<AnswerEvent>,
  prepared: PreparedTurn,
): AsyncGenerator<TurnEvent> {
  const text = createGatheredText();
  let ended = false;
  let stored = false;
  try {
    for await (const event of events) {
      if (event.type === "answer-end") {
        // if storing fails, don't store it again as interrupted: the first write may have succeeded
        ended = true;
        const turn = await prepared.store(event.completion);
        stored = true;
        yield { type: "turn-end", turn };
      } else {
        if (event.type === "text-delta") text.add(event.text);
        yield event;
      }
    }
  } finally {
    prepared.over();
    if (!stored) await prepared.abandon(ended ? "" : text.whole());
  }
}

/** A turn whose place in the conversation is found or claimed, with its request. */
interface PreparedTurn extends RunningTurn {
  readonly request: ChatRequest;
  store(completion: Completion): Promise<Turn>;
  /** Stores an interrupted answer, or gives the place back if there is no text. Never rejects. */
  abandon(text: string): Promise<void>;
}

/** Finds or creates the place of a turn. A failure leaves nothing behind. */
async function prepareTurn(
  options: DialogueOptions,
  call: Call,
  request: TurnRequest,
): Promise<PreparedTurn> {
  const { conversations, claims, running } = options;
  const { owner, question, onlyAtNewest } = request;
  const isNew = request.conversationId === null;
  const id = request.conversationId ?? (await begin(options, owner));
  let claim: TurnClaim | null = null;
  const giveBack = async () => {
    // a claim that can't be given back expires; a new conversation is deleted all the same
    await claim?.release().catch(() => undefined);
    if (isNew) await conversations.delete(owner, id);
  };
  try {
    const { path, messages, omitted } = await historyOf(options, id, request);
    const place = { parentId: path.leafId, onlyAtNewest };
    // claims are refused for the same reasons as turns
    if (onlyAtNewest) claim = await claims.take(owner, id, { parentId: path.leafId, question });
    else await conversations.checkTurn(owner, id, { ...place, question });
    const { model, maxTokens } = request;
    const chat = { model, messages, ...(maxTokens === undefined ? {} : { maxTokens }) };
    const store = storeIn(conversations, { ...request, ...place }, id, claim);
    const turn = createPreparedTurn({ id, request: chat, omitted, store, giveBack });
    return { ...turn, ...running.begin(owner, id, call) };
  } catch (error) {
    await giveBack().catch(() => undefined);
    throw error;
  }
}

type Store = (answer: string, state: MessageState) => Promise<StoredTurn>;

/** No message has these ids: the answer was paid for, and its conversation is gone. */
const NOT_KEPT: StoredTurn = { questionId: "", answerId: "" };

/** Returns how to store the turn with its answer. Where the conversation was deleted meanwhile, it is not kept. */
function storeIn(
  conversations: Conversations,
  { owner, parentId, onlyAtNewest, question }: TurnRequest,
  id: string,
  claim: TurnClaim | null,
): Store {
  return async (answer, state) => {
    const claimed = claim === null ? {} : { claimId: claim.id };
    const turn = { parentId, onlyAtNewest, question, answer, state, ...claimed };
    const stored = await conversations.appendTurn(owner, id, turn).catch((error: unknown) => {
      if (toProxyError(error).code !== "conversation_not_found") throw error;
      return NOT_KEPT;
    });
    claim?.done();
    return stored;
  };
}

interface PreparedTurnOptions {
  readonly id: string;
  readonly request: ChatRequest;
  readonly omitted: number;
  readonly store: Store;
  readonly giveBack: () => Promise<void>;
}

function createPreparedTurn({
  id,
  request,
  omitted,
  store,
  giveBack,
}: PreparedTurnOptions): Omit<PreparedTurn, keyof RunningTurn> {
  return {
    request,
    async store(completion) {
      const stored = await store(completion.text, "complete");
      return { ...stored, conversationId: id, completion, omitted };
    },
    async abandon(text) {
      if (text !== "" && (await isDone(store(text, "interrupted")))) return;
      // the error that led here is the one to report
      await isDone(giveBack());
    },
  };
}

async function isDone(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

async function begin({ conversations, maxConversationsOf }: DialogueOptions, owner: string) {
  const maxConversations = maxConversationsOf(owner);
  const chosen = maxConversations === undefined ? {} : { maxConversations };
  return (await conversations.create(owner, chosen)).id;
}

/** The system prompt, the newest turns that fit, and the question. */
async function historyOf(
  { conversations, contextTokens }: DialogueOptions,
  id: string,
  { owner, parentId, question, model, maxTokens, maxMessages }: TurnRequest,
): Promise<{ path: Path; messages: readonly ChatMessage[]; omitted: number }> {
  const room = (beside: readonly Content[]) =>
    roomForHistory(model, beside, maxTokens, contextTokens);
  const path = await conversations.path(owner, id, {
    ...(parentId === null ? {} : { leafId: parentId }),
    ...(maxMessages === undefined ? {} : { maxMessages }),
    maxCharacters: charactersOf(room([question])),
  });
  const { systemPrompt } = path.conversation;
  const system = systemPrompt === null ? [] : [{ role: "system", content: systemPrompt }];
  const beside = [question, ...system.map(({ content }) => content)];
  const history = newestThatFit(path.messages, room(beside));
  return {
    path,
    messages: [
      ...system,
      ...history.map(({ role, content }) => ({ role, content })),
      { role: "user", content: question },
    ],
    omitted: path.omitted + path.messages.length - history.length,
  };
}
