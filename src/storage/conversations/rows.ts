import type { Conversation, Message } from "../../core/conversations/conversations.ts";
import { type ConversationLimits, MESSAGES_PER_TURN } from "../../core/conversations/turn-rules.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { isStorable } from "../driver/driver.ts";
import type { ConversationTable, TurnTable } from "../driver/schema.ts";
import { type ContentCodec, encode, type Sealing } from "./sealing.ts";

/** What the functions of the conversation store work on. */
export interface ConversationStore extends Database, Sealing {
  readonly clock: Clock;
  readonly limits: ConversationLimits;
  readonly lifetimeMs: number;
  /** Conversations that one sweep deletes. */
  readonly maxSwept: number;
}

export const conversationColumns = [
  "id",
  "name",
  "system_prompt",
  "created_at",
  "expires_at",
  "lifetime_ms",
  "leaf_id",
  "turns",
  "bytes",
] as const satisfies readonly (keyof ConversationTable)[];

export type StoredConversation = Readonly<
  Pick<ConversationTable, (typeof conversationColumns)[number]>
>;

export const turnColumns = [
  "id",
  "parent_id",
  "depth",
  "created_at",
  "state",
  "question",
  "answer",
] as const satisfies readonly (keyof TurnTable)[];

export type TurnRow = Readonly<Pick<TurnTable, (typeof turnColumns)[number]>>;

/** One live conversation of one owner: the condition of every query about a conversation. */
export interface OwnedKey {
  readonly id: string;
  readonly owner: string;
  readonly now: number;
}

/** Throws for ids that no row can have. */
export function ownedKey({ clock }: ConversationStore, owner: string, id: string): OwnedKey {
  if (!isStorable(owner) || !isStorable(id)) throw conversationNotFound();
  return { owner, id, now: clock.wallMs() };
}

export function conversationNotFound(): ProxyError {
  return new ProxyError("conversation_not_found");
}

/** The answer has the turn's id; the question's is derived from it. */
export function questionId(turnId: string): string {
  return `${turnId}q`;
}

/** The place of a sealed text; copied into another row or column it doesn't open. */
export const contextOf = {
  message: (conversationId: string, messageId: string) => `${conversationId} ${messageId}`,
  name: (conversationId: string) => `${conversationId} name`,
  prompt: (conversationId: string) => `${conversationId} prompt`,
  setting: (name: string) => `setting ${name}`,
} as const;

/** The setting that has the prompt of every new chat. */
export const GLOBAL_PROMPT = "global_prompt";

/** A system prompt is content like a message: bounded and sealed. */
export function storedPrompt(
  { codec, limits }: ConversationStore,
  prompt: string | null,
  context: string,
): string | null {
  return prompt === null ? null : codec.write(encode(prompt, limits).payload, context);
}

export function conversationOf(codec: ContentCodec, row: StoredConversation): Conversation {
  const { id } = row;
  const text = (stored: string | null, context: string) =>
    stored === null ? null : codec.readText(stored, context);
  return {
    id,
    name: text(row.name, contextOf.name(id)),
    systemPrompt: text(row.system_prompt, contextOf.prompt(id)),
    leafId: row.leaf_id,
    messages: row.turns * MESSAGES_PER_TURN,
    bytes: row.bytes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}

export function messagesOf(
  codec: ContentCodec,
  conversationId: string,
  row: TurnRow,
): readonly [Message, Message] {
  const { id, created_at: createdAt } = row;
  const asked = questionId(id);
  const read = (stored: string, messageId: string) =>
    codec.read(stored, () => contextOf.message(conversationId, messageId));
  return [
    {
      id: asked,
      parentId: row.parent_id,
      role: "user",
      content: read(row.question, asked),
      createdAt,
      state: "complete",
    },
    {
      id,
      parentId: asked,
      role: "assistant",
      content: read(row.answer, id),
      createdAt,
      state: row.state === "interrupted" ? "interrupted" : "complete",
    },
  ];
}
