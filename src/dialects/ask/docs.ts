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
