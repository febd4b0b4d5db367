import type { Conversation, Message } from "../../core/conversations/conversations.ts";
import { messagesPerTurn } from "../../core/conversations/turns.ts";
import { ProxyError } from "../../core/errors.ts";
import type { ConversationTable, TurnTable } from "../driver/schema.ts";
import type { ContentCodec } from "./content-codec.ts";

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
] as const;

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
] as const;

export type StoredRowOfTurn = Readonly<Pick<TurnTable, (typeof turnColumns)[number]>>;

/** The answer has the turn's id, and the question one that follows from it. */
export function questionId(turnId: string): string {
  return `${turnId}q`;
}

/** Where a sealed text belongs; copied into another row or column it does not open. */
export const contextOf = {
  message: (conversationId: string, messageId: string) => `${conversationId} ${messageId}`,
  name: (conversationId: string) => `${conversationId} name`,
  prompt: (conversationId: string) => `${conversationId} prompt`,
  setting: (name: string) => `setting ${name}`,
} as const;

export function conversationOf(codec: ContentCodec, row: StoredConversation): Conversation {
  const { id } = row;
  return {
    id,
    name: row.name === null ? null : codec.readText(row.name, contextOf.name(id)),
    systemPrompt:
      row.system_prompt === null ? null : codec.readText(row.system_prompt, contextOf.prompt(id)),
    leafId: row.leaf_id,
    messages: row.turns * messagesPerTurn,
    bytes: row.bytes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}

export function messagesOf(
  codec: ContentCodec,
  conversationId: string,
  row: StoredRowOfTurn,
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

export function notFound(): ProxyError {
  return new ProxyError("conversation_not_found");
}
