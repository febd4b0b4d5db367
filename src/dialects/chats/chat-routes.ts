import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import { parsed } from "../../http/body/parsed.ts";
import { readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Route } from "../../http/dialect.ts";
import { respondJson } from "../../http/reply/json-response.ts";
import type { NamedChats } from "./named-chats.ts";
import { type ChatsOptions, NAME, ownerIn } from "./options.ts";
import { chatPromptBody, systemMessage } from "./prompts.ts";
import { createTalk } from "./talk.ts";
import {
  chatAnswer,
  chatBody,
  chatEvent,
  chatHistory,
  imageBody,
  parseChat,
  parseImage,
  writeHistory,
} from "./wire.ts";

const NOTHING = z.object({});
const params = { chat: z.string().max(200).describe("The chat's name, which its client chooses") };
const existing = { params, fails: ["conversation_not_found"] } as const;
const talking = [
  "conversation_not_found",
  "conversation_conflict",
  "conversation_full",
  "conversations_limited",
  "message_too_large",
] as const;

/** What lies below a chat's name. */
export function chatRoutes(options: ChatsOptions, chats: NamedChats): readonly Route[] {
  const who = options.access.open ? ({ credential: "optional" } as const) : {};
  const asked = { answer: chatAnswer, event: chatEvent, params, fails: talking, ...who };
  return [
    {
      ...at("POST", "/:chat/chat", createTalk(options, chats, parseChat)),
      doc: { summary: "Asks in a chat, which is made if there is none", body: chatBody, ...asked },
    },
    {
      ...at("POST", "/:chat/img", createTalk(options, chats, parseImage)),
      doc: { summary: "Asks in a chat about an image", body: imageBody, ...asked },
    },
    {
      ...at("GET", "/:chat/chat", async (c) => {
        const path = await chats.history(await ownerIn(c, options), nameIn(c));
        return respondJson(c, 200, writeHistory(path));
      }),
      doc: { summary: "Shows a chat's messages", answer: chatHistory, ...existing, ...who },
    },
    {
      ...at("POST", "/:chat/clear", async (c) => {
        await chats.remove(await ownerIn(c, options), nameIn(c));
        return respondJson(c, 200, {});
      }),
      doc: { summary: "Deletes a chat, if there is one", answer: NOTHING, params, ...who },
    },
    {
      ...at("DELETE", "/:chat", async (c) => {
        if (await chats.remove(await ownerIn(c, options), nameIn(c)))
          return respondJson(c, 200, {});
        throw new ProxyError("conversation_not_found");
      }),
      onlyMethod: true,
      doc: { summary: "Deletes a chat", answer: NOTHING, ...existing, ...who },
    },
    ...promptRoutes(options, chats),
  ];
}

function promptRoutes(options: ChatsOptions, chats: NamedChats): readonly Route[] {
  const who = options.access.open ? ({ credential: "optional" } as const) : {};
  return [
    {
      ...at("GET", "/:chat/system", async (c) => {
        const { systemPrompt } = await chats.find(await ownerIn(c, options), nameIn(c));
        return respondJson(c, 200, { role: "system", content: systemPrompt });
      }),
      doc: {
        summary: "Shows a chat's system prompt",
        answer: systemMessage,
        ...existing,
        ...who,
      },
    },
    {
      ...at("POST", "/:chat/system", async (c) => {
        const { json, open } = await readJsonCall(c, NAME, options);
        const { content, api_key: key } = parsed(chatPromptBody, json);
        const owner = options.access.ownerOf((await open(key || null)).principal);
        await chats.setPrompt(owner, nameIn(c), content);
        return respondJson(c, 200, {});
      }),
      doc: {
        summary: "Sets a chat's system prompt; the chat is made if there is none",
        body: chatPromptBody,
        answer: NOTHING,
        params,
        asks: false,
        fails: ["conversations_limited", "message_too_large"],
        ...who,
      },
    },
  ];
}

function at(method: Route["method"], path: string, handle: Route["handle"]): Route {
  return { method, path, counted: true, handle };
}

function nameIn(c: AppContext): string {
  return c.req.param("chat") ?? "";
}
