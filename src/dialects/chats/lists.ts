import { z } from "zod";
import type { Conversation, ExportedItem } from "../../core/conversations/conversations.ts";
import { ProxyError } from "../../core/errors.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import { parsed } from "../../http/body/parsed.ts";

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

/** `GET /chats` */
export const chatListQuery = z.object({
  limit: z.coerce.number().int().optional().describe(`1 to ${MAX_LIMIT}; default ${DEFAULT_LIMIT}`),
  after: z.string().optional().describe("The name of the last chat on the previous page"),
});

/** `after` is the name of a chat, or null for the first page. */
export function parseListQuery(query: Record<string, string>) {
  const { limit = DEFAULT_LIMIT, after } = parsed(chatListQuery, query);
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new ProxyError("field_range", {
      params: { field: "limit", min: 1, max: MAX_LIMIT },
      details: { field: "limit" },
    });
  }
  return { limit, after: after || null };
}

const size = {
  messages: z.int(),
  bytes: z.int(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
};

export const chatList = z.array(z.object({ name: z.string(), ...size }));

export function writeChatList(chats: readonly Conversation[]): z.output<typeof chatList> {
  return chats.map((chat) => ({ name: chat.name ?? "", ...sizeOf(chat) }));
}

/** A line of `GET /conversations`: each conversation comes before its messages. */
export const exportedLine = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("conversation"),
    id: z.string(),
    name: z.string().nullable().describe("A chat's name; null for a conversation tree"),
    system_prompt: z.string().nullable(),
    ...size,
  }),
  z.object({
    type: z.literal("message"),
    conversation_id: z.string(),
    id: z.string(),
    parent_id: z.string().nullable(),
    role: z.enum(["user", "assistant"]),
    content: z.unknown(),
    created_at: z.iso.datetime(),
    state: z.enum(["complete", "interrupted"]),
  }),
]);

export async function* writeExport(items: AsyncIterable<ExportedItem>): AsyncGenerator<string> {
  for await (const item of items) yield `${wellFormedJson(lineOf(item))}\n`;
}

function lineOf(item: ExportedItem): z.output<typeof exportedLine> {
  if (item.type === "conversation") {
    const { type, id, name, systemPrompt } = item;
    return { type, id, name, system_prompt: systemPrompt, ...sizeOf(item) };
  }
  const { type, conversationId, id, parentId, role, content, createdAt, state } = item;
  return {
    type,
    conversation_id: conversationId,
    id,
    parent_id: parentId,
    role,
    content,
    created_at: isoTime(createdAt),
    state,
  };
}

function sizeOf({ messages, bytes, createdAt, expiresAt }: Omit<Conversation, "id">) {
  return { messages, bytes, created_at: isoTime(createdAt), expires_at: isoTime(expiresAt) };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
