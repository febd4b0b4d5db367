import type { Call } from "../call/call.ts";
import type { AnswerEvent, Completion, Content } from "../call/messages.ts";
import type { Pipeline } from "../call/pipeline.ts";
import type { ClaimRequest, Conversations } from "./conversations.ts";
import { createGatheredText } from "./gathered-text.ts";
import { type Place, preparePlace } from "./turn-place.ts";

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
  take(
    owner: string,
    conversationId: string,
    turn: Pick<ClaimRequest, "parentId" | "question">,
  ): Promise<TurnClaim>;
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
  readonly pipeline: Pick<Pipeline, "completeAndKeep" | "stream">;
  /** What all models take; null: each what it is known for. */
  readonly contextTokens: number | null;
  /** Of new conversations. */
  readonly maxConversationsOf: (owner: string) => number | undefined;
}

export function createDialogue(options: DialogueOptions): Dialogue {
  const { pipeline } = options;
  return {
    async ask(call, request) {
      const place = await preparePlace(options, request);
      try {
        return await pipeline.completeAndKeep(call, place.asked, place.keep);
      } catch (error) {
        await place.abandon("");
        throw error;
      }
    },
    async stream(call, request) {
      const place = await preparePlace(options, request);
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
