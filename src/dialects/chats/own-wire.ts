import { z } from "zod";
import type { Conversation, ExportedItem } from "../../core/conversations/conversations.ts";
import { ProxyError } from "../../core/errors.ts";
import { parsed } from "../../http/body/parsed.ts";

const MAX_LISTED = 1_000;
const LISTED = 100;

/** Of `GET /chats`. */
export const chatListQuery = z.object({
  limit: z.coerce.number().int().optional().describe(`1 to ${MAX_LISTED}; ${LISTED} by default`),
  after: z.string().optional().describe("The name of the last chat seen"),
});

export interface ChatListQuery {
  readonly limit: number;
  /** The name of the last one seen. */
  readonly after: string | null;
}

export function parseListQuery(query: Record<string, string>): ChatListQuery {
  const { limit = LISTED, after } = parsed(chatListQuery, query);
  if (limit < 1 || limit > MAX_LISTED) {
    throw new ProxyError("field_range", {
      params: { field: "limit", min: 1, max: MAX_LISTED },
      details: { field: "limit" },
    });
  }
  return { limit, after: after || null };
}

export const chatList = z.array(
  z.object({
    name: z.string(),
    messages: z.int(),
    bytes: z.int(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
  }),
);

/** Oldest first. */
export function writeChats(chats: readonly Conversation[]): z.output<typeof chatList> {
  return chats.map((chat) => ({
    name: chat.name ?? "",
    messages: chat.messages,
    bytes: chat.bytes,
    created_at: isoTime(chat.createdAt),
    expires_at: isoTime(chat.expiresAt),
  }));
}

const message = z.object({
  type: z.literal("message"),
  conversation_id: z.string(),
  id: z.string(),
  parent_id: z.string().nullable(),
  role: z.enum(["user", "assistant"]),
  content: z.unknown(),
  created_at: z.iso.datetime(),
  state: z.enum(["complete", "interrupted"]),
});

const conversation = z.object({
  type: z.literal("conversation"),
  id: z.string(),
  name: z.string().nullable().describe("Of a chat; null for a conversation tree"),
  system_prompt: z.string().nullable(),
  messages: z.int(),
  bytes: z.int(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
});

/** A line of `GET /conversations`: each conversation is followed by its messages. */
export const exportedLine = z.discriminatedUnion("type", [conversation, message]);

export async function* writeLines(items: AsyncIterable<ExportedItem>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(lineOf(item))}\n`;
}

function lineOf(item: ExportedItem): z.output<typeof exportedLine> {
  if (item.type === "message") {
    return {
      type: item.type,
      conversation_id: item.conversationId,
      id: item.id,
      parent_id: item.parentId,
      role: item.role,
      content: item.content,
      created_at: isoTime(item.createdAt),
      state: item.state,
    };
  }
  return {
    type: item.type,
    id: item.id,
    name: item.name,
    system_prompt: item.systemPrompt,
    messages: item.messages,
    bytes: item.bytes,
    created_at: isoTime(item.createdAt),
    expires_at: isoTime(item.expiresAt),
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
