import { z } from "zod";
import type { Content } from "../../core/call/messages.ts";
import type { Path } from "../../core/conversations/conversations.ts";
import type { Turn } from "../../core/conversations/turn.ts";
import { chosenModel, chosenTokens, type ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";

const DATA_IMAGE = /^data:image\/[\w.+-]+[;,]/i;
const HTTPS = /^https:\/\//i;

/** Checks the form only: the upstream fetches the image. */
const isImageUrl = (text: string) =>
  DATA_IMAGE.test(text) || (HTTPS.test(text) && URL.canParse(text));

const imageUrl = z
  .string()
  .refine(isImageUrl, { params: { expected: "image_url" } })
  .describe("An https: or data:image/ URL, which the upstream fetches");
const detail = z.enum(["low", "high", "auto"]).exactOptional();
const textPart = z.object({ type: z.literal("text"), text: z.string() });
const imagePart = z.object({
  type: z.literal("image_url"),
  image_url: z.object({ url: imageUrl, detail }),
});

/** Text, or parts if there are images. */
const content = z.union([
  z.string().min(1),
  z.array(z.discriminatedUnion("type", [textPart, imagePart])).min(1),
]);
const apiKey = z.string().nullish();

/** `POST /:chat/chat` */
export const chatBody = z.object({
  content,
  model: z.string().nullish(),
  max_tokens: z.int().nullish(),
  stream: z.boolean().nullish(),
  api_key: apiKey,
});

/** `POST /:chat/img` */
export const imageBody = chatBody.extend({ content: z.string().min(1), url: imageUrl });

/** `POST /mod` */
export const moderationBody = z.object({
  content,
  model: z.string().nullish().describe("MODERATION_MODEL by default"),
  api_key: apiKey,
});

/** `POST /:chat/system` */
export const chatPromptBody = z.object({
  content: z.string().nullable().describe("Empty: the global prompt at this time. null: no prompt"),
  api_key: apiKey,
});

/** `POST /system` */
export const globalPromptBody = z.object({
  content: z.string().nullable().describe("Empty: nothing changes. null: no prompt any more"),
  api_key: apiKey,
});

/** Throws the first mistake, naming the field. Ignores unknown fields. */
export type ParseQuestion = (json: unknown, rules: ModelRules) => ReturnType<typeof questionOf>;

export const parseChat: ParseQuestion = (json, rules) => {
  const fields = parsed(chatBody, json);
  return questionOf(fields.content, fields, rules);
};

/** Asks for the least detail: the image then costs no more than a few sentences. */
export const parseImage: ParseQuestion = (json, rules) => {
  const fields = parsed(imageBody, json);
  const image = { type: "image_url", image_url: { url: fields.url, detail: "low" } } as const;
  return questionOf([{ type: "text", text: fields.content }, image], fields, rules);
};

type Choices = Omit<z.output<typeof chatBody>, "content">;

function questionOf(question: Content, fields: Choices, rules: ModelRules) {
  return {
    question,
    model: chosenModel(fields.model, rules),
    maxTokens: chosenTokens(fields.max_tokens ?? rules.usualTokens, rules),
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
    .describe("As the upstream counted them; null if it did not say"),
  model: z.string(),
  finish_reason: z.string().nullable(),
  omitted: z.int().describe("Messages of the chat that were not sent upstream"),
});

/** Events of a stream: pieces, then the whole answer with `done`. */
export const chatEvent = chatAnswer
  .partial()
  .extend({ delta: z.string().optional(), done: z.literal(true).optional() });

/** `model`: the one asked for, in case the upstream does not name its own. */
export function writeChatAnswer(turn: Turn, model: string): z.output<typeof chatAnswer> {
  const { text, usage, model: answeredBy, finishReason } = turn.completion;
  return {
    content: text,
    role: "assistant",
    tokens: {
      completion_tokens: usage?.completionTokens ?? null,
      prompt_tokens: usage?.promptTokens ?? null,
      total_tokens: usage?.totalTokens ?? null,
    },
    model: answeredBy || model,
    finish_reason: finishReason,
    omitted: turn.omitted,
  };
}

export const chatHistory = z.array(
  z.object({
    role: z.enum(["system", "user", "assistant"]),
    content: z.unknown().describe("Text, or parts as they were sent"),
    state: z.literal("interrupted").optional().describe("On an answer that broke off"),
  }),
);

/** The system prompt first, if there is one, then all messages, oldest first. */
export function writeHistory({ conversation, messages }: Path): z.output<typeof chatHistory> {
  const { systemPrompt } = conversation;
  const opening = systemPrompt === null ? [] : [{ role: "system" as const, content: systemPrompt }];
  const rest = messages.map(({ role, content, state }) => ({
    role,
    content,
    ...(state === "interrupted" && { state }),
  }));
  return [...opening, ...rest];
}
