import type { Call } from "../call/call.ts";
import type { AnswerEvent, Completion, Content } from "../call/messages.ts";
import type { ClaimRequest } from "./conversations.ts";

/** A question within a kept conversation. */
export interface TurnRequest {
  readonly owner: string;
  /** Null: a new one, which is deleted again if the question fails. */
  readonly conversationId: string | null;
  /** The answer to continue from; null: the newest. */
  readonly parentId: string | null;
  /** True: one turn at a time, others get `conversation_conflict`. False: branches. */
  readonly onlyAtNewest: boolean;
  readonly question: Content;
  readonly model: string;
  readonly maxTokens?: number | undefined;
  /** Most messages of the history that are sent upstream. */
  readonly maxMessages?: number | undefined;
}

/** A turn that is stored. */
export interface Turn {
  readonly conversationId: string;
  readonly questionId: string;
  /** The parent of the next turn. */
  readonly answerId: string;
  readonly completion: Completion;
  /** Messages of the history that were not sent upstream. */
  readonly omitted: number;
}

/** A streamed answer whose last event says where the turn is stored. */
export type TurnEvent =
  | Exclude<AnswerEvent, { readonly type: "answer-end" }>
  | { readonly type: "turn-end"; readonly turn: Turn };

/** Asks questions within kept conversations: reads the history, stores the turn. */
export interface Dialogue {
  ask(call: Call, request: TurnRequest): Promise<Turn>;
  /** The turn is stored before its last event; an answer that breaks is kept up to there. */
  stream(call: Call, request: TurnRequest): Promise<AsyncIterable<TurnEvent>>;
}

/** Claims the next turn of a linear conversation while this process lives and holds it. */
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
  /** The turn was stored, which ends the claim. */
  done(): void;
  /** Gives the claim back; if the database is away, the claim expires by itself. */
  release(): Promise<void>;
}
