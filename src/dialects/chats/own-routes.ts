import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import type { Route } from "../../http/dialect.ts";
import { respondJson } from "../../http/reply/json-response.ts";
import { streamText } from "../../http/reply/text-stream.ts";
import { type ChatsOptions, personIn } from "./options.ts";
import {
  chatList,
  chatListQuery,
  exportedLine,
  parseListQuery,
  writeChats,
  writeLines,
} from "./own-wire.ts";

const LINES_TYPE = "application/x-ndjson";

/** What belongs to a caller with a credential: lists and all of it at once. Strangers see none. */
export function ownRoutes(options: ChatsOptions): readonly Route[] {
  const { conversations } = options;
  const route = (method: Route["method"], path: string, handle: Route["handle"]): Route => {
    return { method, path, counted: true, handle };
  };
  return [
    {
      ...route("GET", "/chats", async (c) => {
        const owner = await personIn(c, options);
        const { limit, after } = parseListQuery(c.req.query());
        const last = after === null ? null : await conversations.findByName(owner, after);
        if (after !== null && last === null) {
          throw new ProxyError("conversation_not_found", { details: { field: "after" } });
        }
        const page = last === null ? { limit } : { limit, after: last };
        return respondJson(
          c,
          200,
          writeChats(await conversations.list(owner, { named: true, ...page })),
        );
      }),
      doc: {
        summary: "Lists the caller's own chats, oldest first",
        query: chatListQuery,
        answer: chatList,
      },
    },
    {
      ...route("GET", "/conversations", async (c) => {
        const lines = writeLines(conversations.export(await personIn(c, options)));
        return streamText(c, LINES_TYPE, lines);
      }),
      doc: {
        summary: "Exports the caller's own chats and conversation trees, one JSON object a line",
        answer: exportedLine,
        answerType: LINES_TYPE,
      },
    },
    {
      ...route("DELETE", "/conversations", async (c) => {
        const deleted = await conversations.deleteEverything(await personIn(c, options));
        return respondJson(c, 200, { deleted });
      }),
      doc: {
        summary: "Deletes the caller's own chats and conversation trees",
        answer: z.object({ deleted: z.int() }),
      },
    },
  ];
}
