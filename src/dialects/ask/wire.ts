import { z } from "zod";
import type { Usage } from "../../core/call/messages.ts";
import { fieldError } from "../../core/common-errors.ts";
import type { Tree } from "../../core/conversations/conversations.ts";
import type { Turn } from "../../core/conversations/turn.ts";
import { chosenModel, chosenTokens, type ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";

/** The fields of a question on every transport. */
export const askFields = z.object({
  prompt: z.string().min(1),
  parent_id: z.string().nullish(),
  model: z.string().nullish(),
  max_tokens: z.int().nullish(),
  api_key: z.string().nullish(),
});

/** The body of `POST /ask/:conversation_id`. */
export const askBody = askFields.extend({ stream: z.boolean().nullish() });

/** A question that has passed its schema. */
export interface TreeQuestion {
  readonly prompt: string;
  /** Null: a new conversation. */
  readonly conversationId: string | null;
  /** The answer to continue from; null: the newest. */
  readonly parentId: string | null;
  readonly model: string;
  readonly maxTokens: number;
  readonly apiKey: string | null;
}

/** Sent by some clients in place of an id they don't have. */
const NONE = new Set(["", "new"]);

/** Throws the first mistake, naming the field. Unknown fields are ignored. */
export function parseAsk(json: unknown, conversation: string, rules: ModelRules): TreeQuestion {
  const fields = parsed(askFields, json);
  const conversationId = NONE.has(conversation) ? null : conversation;
  const parent = fields.parent_id ?? "";
  const parentId = NONE.has(parent) ? null : parent;
  if (conversationId === null && parentId !== null) {
    throw fieldError("field_needs", "parent_id", { other: "conversation_id" });
  }
  return {
    prompt: fields.prompt,
    conversationId,
    parentId,
    model: chosenModel(fields.model, rules),
    maxTokens: chosenTokens(fields.max_tokens ?? rules.usualTokens, rules),
    apiKey: fields.api_key || null,
  };
}

/** A stored turn. A question with its `parent_id` continues from here. */
export const askAnswer = z.object({
  message: z.string(),
  conversation_id: z.string(),
  parent_id: z.string(),
  model: z.string(),
  usage: z
    .object({
      prompt_tokens: z.int(),
      completion_tokens: z.int(),
      total_tokens: z.int(),
    })
    .nullable(),
  finish_reason: z.string().nullable(),
  omitted: z.int().describe("Messages of the history that were left out"),
});

/** An event of a stream: a piece, or the whole turn with `done` at the end. */
export const askEvent = askAnswer
  .partial()
  .extend({ delta: z.string().optional(), done: z.literal(true).optional() });

export function writeTurn(turn: Turn, requestedModel: string): z.output<typeof askAnswer> {
  const { completion } = turn;
  return {
    message: completion.text.toWellFormed(),
    conversation_id: turn.conversationId,
    parent_id: turn.answerId,
    model: completion.model || requestedModel,
    usage: completion.usage && writeUsage(completion.usage),
    finish_reason: completion.finishReason,
    omitted: turn.omitted,
  };
}

function writeUsage({ promptTokens, completionTokens, totalTokens }: Usage) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
  };
}

export const askTree = z.object({
  conversation_id: z.string(),
  parent_id: z.string().nullable().describe("The newest answer"),
  expires_at: z.iso.datetime(),
  omitted: z.int().describe("Older messages that were left out"),
  messages: z.array(
    z.object({
      id: z.string(),
      parent_id: z.string().nullable(),
      role: z.enum(["user", "assistant"]),
      content: z.unknown(),
      created_at: z.iso.datetime(),
      state: z.enum(["complete", "interrupted"]),
    }),
  ),
});

/** Parents before children. */
export function writeTree({ conversation, messages, omitted }: Tree): z.output<typeof askTree> {
  return {
    conversation_id: conversation.id,
    parent_id: conversation.leafId,
    expires_at: new Date(conversation.expiresAt).toISOString(),
    omitted,
    messages: messages.map(({ id, parentId, role, content, createdAt, state }) => ({
      id,
      parent_id: parentId,
      role,
      content,
      created_at: new Date(createdAt).toISOString(),
      state,
    })),
  };
}
