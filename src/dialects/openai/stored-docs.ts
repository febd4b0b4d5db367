import { z } from "zod";
import { relayFields } from "../../http/body/relay-fields.ts";
import type { RouteDoc } from "../../http/dialect.ts";

const list = z.object({
  after: z.string().optional(),
  limit: z.string().optional(),
  order: z.string().optional(),
  include: z.string().optional(),
});
const metadata = z.record(z.string(), z.unknown()).nullish();
const items = z.array(z.looseObject({}));
const id = { id: z.string().meta({ example: "conv_123" }) };

/** OpenAI checks the rest. */
export const storedBodies = {
  create: z.looseObject({ items: items.nullish(), metadata }),
  update: z.looseObject({ metadata }),
  addItems: z.looseObject({ items }),
};
const message = { type: "message", role: "user", content: "Hello." };

const about = {
  description:
    "With a token, only what this token has made; anything else is not there. No price and no quota applies.",
  asks: true,
  answer: z.looseObject({}).describe("OpenAI's own answer, unchanged"),
  fails: ["stored_not_found", "not_found"],
} as const satisfies Partial<RouteDoc>;

export const storedDocs = {
  response: {
    show: {
      ...about,
      summary: "A response that OpenAI keeps",
      description: `With \`stream=true\`, the events of a background response. ${about.description}`,
      query: z.object({
        include: z.string().optional(),
        stream: z.string().optional(),
        starting_after: z.string().optional(),
        include_obfuscation: z.string().optional(),
      }),
    },
    remove: { ...about, summary: "Deletes a response" },
    cancel: { ...about, summary: "Cancels a response that is made in the background" },
    items: { ...about, summary: "What a response was asked", query: list },
    count: (model: string) => ({
      ...about,
      summary: "How many tokens a request for a response has",
      body: relayFields,
      example: { model, input: message.content },
      fails: [...about.fails, "model_not_found"] as const,
    }),
  },
  conversation: {
    create: {
      ...about,
      summary: "Begins a conversation that OpenAI keeps",
      body: storedBodies.create,
      example: { items: [message] },
      fails: ["conversations_limited"],
    },
    show: { ...about, summary: "A conversation" },
    update: {
      ...about,
      summary: "Changes the metadata of a conversation",
      params: id,
      body: storedBodies.update,
      example: { metadata: { topic: "bicycles" } },
    },
    remove: { ...about, summary: "Deletes a conversation" },
  },
  items: {
    list: { ...about, summary: "The items of a conversation", query: list },
    create: {
      ...about,
      summary: "Adds items to a conversation",
      params: id,
      body: storedBodies.addItems,
      example: { items: [message] },
    },
    show: { ...about, summary: "An item of a conversation" },
    remove: { ...about, summary: "Deletes an item of a conversation" },
  },
} as const satisfies Record<string, Record<string, RouteDoc | ((model: string) => RouteDoc)>>;
