import type { Content } from "../call/messages.ts";

/** Interrupted: the answer broke and is kept up to there. */
export type MessageState = "complete" | "interrupted";

/** The system prompt belongs to the conversation; it is not a message of its tree. */
export interface Message {
  readonly id: string;
  readonly parentId: string | null;
  readonly role: "user" | "assistant";
  readonly content: Content;
  readonly createdAt: number;
  readonly state: MessageState;
}

/** A tree of messages; with a name it is a chat. Times are milliseconds since 1970. */
export interface Conversation {
  /** 128 random bits: the id alone protects a conversation without a credential. */
  readonly id: string;
  readonly name: string | null;
  readonly systemPrompt: string | null;
  /** The newest answer; null while there is none. */
  readonly leafId: string | null;
  readonly messages: number;
  /** Of its messages as UTF-8, before encryption. */
  readonly bytes: number;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface NewConversation {
  /** Unique for its owner. */
  readonly name?: string;
  readonly systemPrompt?: string | null;
  /** Lifetime after its last use. */
  readonly lifetimeMs?: number;
  /** Replaces `conversationsPerOwner` for an owner that stands for many people. */
  readonly maxConversations?: number;
  /** Whose share of the room for owners that cost nothing it takes; null: it takes none. */
  readonly room?: string | null;
}

export interface PathQuery {
  /** An answer; the newest one if omitted. */
  readonly leafId?: string;
  readonly maxMessages?: number;
  /** Of content, in UTF-16 units as `length` counts them. */
  readonly maxCharacters?: number;
}

export interface Path {
  readonly conversation: Conversation;
  /** The parent of the next turn. */
  readonly leafId: string | null;
  /** Whole turns that fit, oldest first, without a gap up to the leaf. */
  readonly messages: readonly Message[];
  /** Messages between the root and the first of these. */
  readonly omitted: number;
}

/** The place of a turn. */
export interface TurnPlace {
  /** An answer of this conversation, or null for a first question. */
  readonly parentId: string | null;
  /** True: a conflict unless the parent is the newest answer. False: any parent, so branches. */
  readonly onlyAtNewest: boolean;
}

export interface NewTurn extends TurnPlace {
  readonly question: Content;
  readonly answer: Content;
  readonly state?: MessageState;
  /** From `claim`. Storing the turn of the same claim again changes nothing. */
  readonly claimId?: string;
}

export interface StoredTurn {
  readonly questionId: string;
  /** The parent of the next turn. */
  readonly answerId: string;
}

export interface ClaimRequest {
  /** The newest answer as the caller knows it. */
  readonly parentId: string | null;
  /** When the claim ends by itself, so that a crash does not lock the chat. */
  readonly untilMs: number;
  /** The question; refused like a turn if there is no room for it. */
  readonly question?: Content;
}

export interface Tree {
  readonly conversation: Conversation;
  /** The newest ones, parents before children. */
  readonly messages: readonly Message[];
  /** Older ones that were left out. */
  readonly omitted: number;
}

export interface ConversationQuery {
  /** Chats only. */
  readonly named?: boolean;
  /** At most 1,000. */
  readonly limit?: number;
  /** The last one seen. */
  readonly after?: Pick<Conversation, "createdAt" | "id">;
}

export type ExportedItem =
  | ({ readonly type: "conversation" } & Conversation)
  | ({ readonly type: "message"; readonly conversationId: string } & Message);

/**
 * Kept conversations. Every operation is for one owner (`token:<id>`, `key:<digest>`, `public`,
 * `anonymous`): a conversation of another owner, or an expired one, is not found. Unless stated
 * otherwise, an unknown conversation throws `conversation_not_found`. Storing, claiming, reading a
 * path and changing the prompt count as use and extend the expiry.
 */
export interface Conversations {
  /** `conversation_conflict` when the name is taken, `conversations_limited` when there are too many. */
  create(owner: string, chosen?: NewConversation): Promise<Conversation>;
  find(owner: string, id: string): Promise<Conversation | null>;
  findByName(owner: string, name: string): Promise<Conversation | null>;
  /** Throws `message_not_found` if the leaf is not an answer of this conversation. */
  path(owner: string, id: string, query?: PathQuery): Promise<Path>;
  /** Throws what `appendTurn` would throw, as far as it can be known before the answer. */
  checkTurn(owner: string, id: string, turn: TurnPlace & Pick<NewTurn, "question">): Promise<void>;
  /**
   * Reserves the next turn of a linear chat before tokens are spent; returns the claim's id.
   * `conversation_conflict` when there is a newer turn or another claim.
   */
  claim(owner: string, id: string, request: ClaimRequest): Promise<string>;
  /** Extends a claim that still holds; otherwise changes nothing. */
  extend(owner: string, id: string, claimId: string, untilMs: number): Promise<void>;
  /** Gives back a claim that will not be used. */
  release(owner: string, id: string, claimId: string): Promise<void>;
  /**
   * Stores question and answer, both or neither. Throws `message_not_found` without the parent,
   * `conversation_conflict` when another turn came first, `conversation_full` or
   * `message_too_large` at a limit.
   */
  appendTurn(owner: string, id: string, turn: NewTurn): Promise<StoredTurn>;
  setSystemPrompt(owner: string, id: string, prompt: string | null): Promise<void>;
  /** Deletes the messages and keeps the conversation with its prompt; open claims are void. */
  clear(owner: string, id: string): Promise<void>;
  /** False if there was none. */
  delete(owner: string, id: string): Promise<boolean>;
  /** Oldest first. Not for owners that stand for many people. */
  list(owner: string, query?: ConversationQuery): Promise<readonly Conversation[]>;
  tree(owner: string, id: string, query?: { readonly maxMessages?: number }): Promise<Tree>;
  /** The prompt that new chats copy; null when none was set. */
  globalPrompt(): Promise<string | null>;
  setGlobalPrompt(prompt: string | null): Promise<void>;
  /** Each conversation, followed by its messages. Reads in pages. */
  export(owner: string): AsyncIterable<ExportedItem>;
  /** Returns how many conversations there were. */
  deleteEverything(owner: string): Promise<number>;
  /** Deletes some expired conversations; returns how many. */
  sweep(): Promise<number>;
}
