import type { Call } from "./call.ts";
import { charactersOf, newestThatFit, roomForHistory } from "./context-window.ts";
import type { Conversations, MessageState, Path } from "./conversations.ts";
import { createGatheredText } from "./gathered-text.ts";
import type { AnswerEvent, ChatMessage, ChatRequest, Completion, Content } from "./messages.ts";
import type { Pipeline } from "./pipeline.ts";

/** A question within a kept conversation. */
export interface TurnRequest {
  readonly owner: string;
  /** Null: a new one, which is gone again if the question comes to nothing. */
  readonly conversationId: string | null;
  /** The answer to go on from; null: the newest. */
  readonly parentId: string | null;
  /** True: one turn at a time, all others are a `conversation_conflict`. False: branches. */
  readonly onlyAtNewest: boolean;
  readonly question: Content;
  readonly model: string;
  readonly maxTokens?: number | undefined;
  /** Messages of the history that travel upstream at most. */
  readonly maxMessages?: number | undefined;
}

/** A turn that is stored. */
export interface Turn {
  readonly conversationId: string;
  readonly questionId: string;
  /** The parent of the next turn. */
  readonly answerId: string;
  readonly completion: Completion;
  /** Messages of the history that did not travel upstream. */
  readonly omitted: number;
}

/** A streamed answer whose end says where the turn is kept. */
export type TurnEvent =
  | Exclude<AnswerEvent, { readonly type: "answer-end" }>
  | { readonly type: "turn-end"; readonly turn: Turn };

/** Questions within kept conversations: history out of the store, answer into it. */
export interface Dialogue {
  ask(call: Call, request: TurnRequest): Promise<Turn>;
  /** The turn is stored before its end is passed on; an answer that breaks is kept as far as it came. */
  stream(call: Call, request: TurnRequest): Promise<AsyncIterable<TurnEvent>>;
}

/** Reserves the next turn of a linear conversation for as long as this process lives and holds it. */
export interface TurnClaims {
  /** `conversation_conflict` when there is a newer turn or another claim. */
  take(owner: string, conversationId: string, parentId: string | null): Promise<TurnClaim>;
}

export interface TurnClaim {
  readonly id: string;
  /** The turn was stored, and the claim with it is over. */
  done(): void;
  /** Gives the place back; a store that is away gives it back later by itself. */
  release(): Promise<void>;
}

export interface DialogueOptions {
  readonly conversations: Conversations;
  readonly claims: TurnClaims;
  readonly pipeline: Pick<Pipeline, "complete" | "stream">;
  /** What all models take; null: each what it is known for. */
  readonly contextTokens: number | null;
  /** Of new conversations. */
  readonly mostConversationsOf: (owner: string) => number | undefined;
}

export function createDialogue(options: DialogueOptions): Dialogue {
  const { pipeline } = options;
  return {
    async ask(call, request) {
      const place = await prepare(options, request);
      try {
        const completion = await pipeline.complete(call, place.asked);
        return await place.keep(completion);
      } catch (error) {
        await place.abandon("");
        throw error;
      }
    },
    async stream(call, request) {
      const place = await prepare(options, request);
      try {
        return keepWhilePassing(await pipeline.stream(call, place.asked), place);
      } catch (error) {
        await place.abandon("");
        throw error;
      }
    },
  };
}

async function* keepWhilePassing(
  events: AsyncIterable<AnswerEvent>,
  place: Place,
): AsyncGenerator<TurnEvent> {
  const text = createGatheredText();
  let ended = false;
  let kept = false;
  try {
    for await (const event of events) {
      if (event.type === "answer-end") {
        // what can't be stored now is not tried again as a broken answer: it would stand there twice
        ended = true;
        const turn = await place.keep(event.completion);
        kept = true;
        yield { type: "turn-end", turn };
      } else {
        if (event.type === "text-delta") text.add(event.text);
        yield event;
      }
    }
  } finally {
    if (!kept) await place.abandon(ended ? "" : text.whole());
  }
}

/** Where a turn is to go, with the question as it is asked. */
interface Place {
  readonly asked: ChatRequest;
  keep(completion: Completion): Promise<Turn>;
  /** Keeps what there is of the answer; without any, the place is given back. Never rejects. */
  abandon(text: string): Promise<void>;
}

async function prepare(options: DialogueOptions, request: TurnRequest): Promise<Place> {
  const { conversations } = options;
  const { owner, question } = request;
  const isNew = request.conversationId === null;
  const id = request.conversationId ?? (await begin(options, owner));
  const { path, messages, omitted } = await historyOf(options, id, request);
  const parentId = path.leafId;
  const place = { parentId, onlyAtNewest: request.onlyAtNewest };
  const claim = request.onlyAtNewest ? await options.claims.take(owner, id, parentId) : null;
  const giveBack = async () => {
    await claim?.release();
    if (isNew) await conversations.delete(owner, id);
  };
  const store = async (answer: string, state: MessageState) => {
    const claimId = claim === null ? {} : { claimId: claim.id };
    const turn = { ...place, question, answer, state, ...claimId };
    const stored = await conversations.appendTurn(owner, id, turn);
    claim?.done();
    return stored;
  };
  const bound = request.maxTokens === undefined ? {} : { maxTokens: request.maxTokens };
  try {
    await conversations.checkTurn(owner, id, { ...place, onlyAtNewest: false, question });
  } catch (error) {
    await giveBack().catch(() => undefined);
    throw error;
  }
  return {
    asked: { model: request.model, messages, ...bound },
    async keep(completion) {
      const stored = await store(completion.text, "complete");
      return { ...stored, conversationId: id, completion, omitted };
    },
    async abandon(text) {
      try {
        if (text === "") await giveBack();
        else await store(text, "interrupted");
      } catch {
        // the error that led here is the one to tell; a claim ends by itself
        await claim?.release().catch(() => undefined);
      }
    },
  };
}

async function begin({ conversations, mostConversationsOf }: DialogueOptions, owner: string) {
  const mostConversations = mostConversationsOf(owner);
  const chosen = mostConversations === undefined ? {} : { mostConversations };
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
