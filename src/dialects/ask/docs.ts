import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { askAnswer, askBody, askEvent, askTree } from "./wire.ts";

const shared = {
  credential: "optional",
  params: {
    conversation_id: z
      .string()
      .describe("`new`, or the id of a conversation")
      .meta({ example: "new" }),
  },
} as const;

export const askDoc: RouteDoc = {
  ...shared,
  summary: "Asks in a conversation tree",
  body: askBody,
  example: { prompt: "Say hello." },
  answer: askAnswer,
  answerExample: {
    message: "Hello!",
    conversation_id: "0b2c4d5e-6f7a-4812-9c3d-5e6f7a8b9c0d",
    parent_id: "7d1f3a5b-2c4e-4a6d-8f90-1b2c3d4e5f60",
    model: "gpt-4o-mini",
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
    finish_reason: "stop",
    omitted: 0,
  } satisfies z.input<typeof askAnswer>,
  event: askEvent,
  fails: [
    "field_needs",
    "conversation_not_found",
    "message_not_found",
    "conversation_conflict",
    "conversation_full",
    "conversations_limited",
  ],
};

export const showDoc: RouteDoc = {
  ...shared,
  summary: "Shows a conversation tree",
  answer: askTree,
  fails: ["conversation_not_found"],
};

export const deleteDoc: RouteDoc = {
  ...shared,
  summary: "Deletes a conversation tree",
  answer: z.object({}),
  fails: ["conversation_not_found"],
};

export const webSocketDoc: RouteDoc = {
  summary: "Opens a WebSocket for questions in conversation trees",
  description:
    "Without a WebSocket handshake the response is 426. Each question on the socket counts as a call.",
  status: 101,
  credential: "optional",
  fails: ["upgrade_needed", "origin_forbidden", "connections_limited"],
};
