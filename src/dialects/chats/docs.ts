import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { chatList, chatListQuery, exportedLine } from "./lists.ts";
import {
  chatAnswer,
  chatBody,
  chatEvent,
  chatHistory,
  chatPromptBody,
  globalPromptBody,
  imageBody,
  moderationBody,
} from "./wire.ts";

export const LINES_TYPE = "application/x-ndjson";

/** A picture of 16 by 16 pixels, which no server has to fetch. */
const RED_SQUARE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAMAAAAoLQ9TAAAAA1BMVEX/AAAZ4gk3AAAADUlEQVR42mNgGAXIAAABEAABf80DtQAAAABJRU5ErkJggg==";

const nothing = z.object({});
const prompt = z.string().nullable();
const params = {
  chat: z
    .string()
    .max(200)
    .describe("The chat's name, which its client chooses")
    .meta({ example: "greetings" }),
};
const inChat = { params, fails: ["conversation_not_found"] } as const;
const asked = {
  answer: chatAnswer,
  answerExample: {
    content: "Hello!",
    role: "assistant",
    tokens: { completion_tokens: 2, prompt_tokens: 10, total_tokens: 12 },
    model: "gpt-4o-mini",
    finish_reason: "stop",
    omitted: 0,
  } satisfies z.input<typeof chatAnswer>,
  event: chatEvent,
  params,
  fails: [
    "conversation_not_found",
    "conversation_conflict",
    "conversation_full",
    "conversations_limited",
    "message_too_large",
  ],
} as const;

export const chatsDocs = {
  showGlobalPrompt: {
    summary: "Shows the prompt that new chats copy",
    answer: z.object({ content: prompt }),
  },
  setGlobalPrompt: {
    summary: "Sets the prompt that new chats copy",
    body: globalPromptBody,
    example: { content: "Answer in one sentence." },
    answer: nothing,
    credential: "admin",
  },
  moderate: {
    summary: "Moderates a message; the answer is the upstream's own",
    body: moderationBody,
    example: { content: "Say hello." },
    answer: z.looseObject({ id: z.string(), model: z.string(), results: z.array(z.unknown()) }),
  },
  list: {
    summary: "Lists the caller's own chats, oldest first",
    query: chatListQuery,
    answer: chatList,
  },
  exportAll: {
    summary: "Exports the caller's own chats and conversation trees, one JSON object per line",
    answer: exportedLine,
    answerType: LINES_TYPE,
  },
  deleteAll: {
    summary: "Deletes the caller's own chats and conversation trees",
    answer: z.object({ deleted: z.int() }),
  },
  ask: {
    summary: "Asks in a chat; creates it if there is none",
    body: chatBody,
    example: { content: "Say hello." },
    ...asked,
  },
  askAboutImage: {
    summary: "Asks in a chat about an image",
    body: imageBody,
    example: { content: "Which color is this?", url: RED_SQUARE },
    ...asked,
  },
  history: { summary: "Shows a chat's messages", answer: chatHistory, ...inChat },
  clear: { summary: "Deletes a chat, if there is one", answer: nothing, params },
  remove: { summary: "Deletes a chat", answer: nothing, ...inChat },
  showPrompt: {
    summary: "Shows a chat's system prompt",
    answer: z.object({ role: z.literal("system"), content: prompt }),
    ...inChat,
  },
  setPrompt: {
    summary: "Sets a chat's system prompt; creates the chat if there is none",
    body: chatPromptBody,
    example: { content: "Answer in one sentence." },
    answer: nothing,
    params,
    asks: false,
    fails: ["conversations_limited", "message_too_large"],
  },
} as const satisfies Readonly<Record<string, RouteDoc>>;
