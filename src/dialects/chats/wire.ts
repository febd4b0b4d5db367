import { z } from "zod";
import type { Content } from "../../core/call/messages.ts";
import type { Path } from "../../core/conversations/conversations.ts";
import type { Turn } from "../../core/conversations/dialogue.ts";
import { chosenModel, chosenTokens, type ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";
import { content, imageQuestion, imageUrl } from "./content.ts";

/** The body of `POST /:chat/chat`. */
export const chatBody = z.object({
  content,
  model: z.string().nullish(),
  max_tokens: z.int().nullish(),
  stream: z.boolean().nullish(),
  api_key: z.string().nullish(),
});

/** The body of `POST /:chat/img`. */
export const imageBody = chatBody.extend({ content: z.string().min(1), url: imageUrl });

/** A question that has passed its schema. */
export interface ChatQuestion {
  readonly content: Content;
  readonly model: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  readonly apiKey: string | null;
}

export type ParseQuestion = (json: unknown, rules: ModelRules) => ChatQuestion;

/** Throws the first mistake, naming the field. Unknown fields are passed over. */
export function parseChat(json: unknown, rules: ModelRules): ChatQuestion {
  const fields = parsed(chatBody, json);
  return question(fields.content, fields, rules);
}

export function parseImage(json: unknown, rules: ModelRules): ChatQuestion {
  const fields = parsed(imageBody, json);
  return question(imageQuestion(fields.content, fields.url), fields, rules);
}

type Choices = Omit<z.output<typeof chatBody>, "content">;

function question(asked: Content, fields: Choices, rules: ModelRules): ChatQuestion {
  return {
    content: asked,
    model: chosenModel(fields.model, rules),
    maxTokens: chosenTokens(fields.max_tokens ?? rules.maxTokensLimit, rules),
    stream: fields.stream ?? false,
    apiKey: fields.api_key || null,
  };
}

const count = z.int().nullable();

export const chatAnswer = z.object({
  content: z.string(),
  role: z.literal("assistant"),
  tokens: z
    .object({ completion_tokens: count, prompt_tokens: count, total_tokens: count })
    .describe("As the upstream counted them; null where it did not say"),
  model: z.string(),
  finish_reason: z.string().nullable(),
  omitted: z.int().describe("Messages of the chat that were left out of the question"),
});

/** Of a stream: pieces, then a last one with the whole answer and `done`. */
export const chatEvent = chatAnswer
  .partial()
  .extend({ delta: z.string().optional(), done: z.literal(true).optional() });

export function writeAnswer(
  { completion, omitted }: Turn,
  asked: string,
): z.output<typeof chatAnswer> {
  const { text, usage, model, finishReason } = completion;
  return {
    content: text,
    role: "assistant",
    tokens: {
      completion_tokens: usage?.completionTokens ?? null,
      prompt_tokens: usage?.promptTokens ?? null,
      total_tokens: usage?.totalTokens ?? null,
    },
    model: model || asked,
    finish_reason: finishReason,
    omitted,
  };
}

export const chatHistory = z.array(
  z.object({
    role: z.enum(["system", "user", "assistant"]),
    content: z.unknown().describe("Text, or parts as they were sent"),
    state: z.literal("interrupted").optional().describe("Of an answer that broke"),
  }),
);

/** The system message first, if there is one, then all others, oldest first. */
export function writeHistory({ conversation, messages }: Path): z.output<typeof chatHistory> {
  const { systemPrompt } = conversation;
  const opening = systemPrompt === null ? [] : [{ role: "system" as const, content: systemPrompt }];
  return [
    ...opening,
    ...messages.map(({ role, content, state }) => ({
      role,
      content,
      ...(state === "interrupted" ? { state } : {}),
    })),
  ];
}
