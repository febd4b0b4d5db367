import type { Conversations } from "../../core/conversations/conversations.ts";
import { ProxyError } from "../../core/errors.ts";
import { parsed } from "../../http/body/parsed.ts";
import { openEmptyCall, readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import { type Dialect, methodNotAllowed, type Route, type RouteDoc } from "../../http/dialect.ts";
import { createJsonErrors, respondJson } from "../../http/reply/json-response.ts";
import { streamText } from "../../http/reply/text-stream.ts";
import { type ChatAskOptions, createAskInChat, createModeration, NAME } from "./ask.ts";
import { chatsDocs, LINES_TYPE } from "./docs.ts";
import { chatsErrors } from "./errors.ts";
import { parseListQuery, writeChatList, writeExport } from "./lists.ts";
import { createNamedChats } from "./named-chats.ts";
import { chatPromptBody, globalPromptBody, parseChat, parseImage, writeHistory } from "./wire.ts";

export interface ChatsOptions extends ChatAskOptions {
  readonly conversations: Conversations;
}

/** Named chats kept by the server. Mount it last: `/:chat/…` matches any name. */
export function createChats(options: ChatsOptions): Dialect {
  const writeError = createJsonErrors(options.translate, chatsErrors);
  const shared = options.access.open ? withoutCredential : (routes: readonly Route[]) => routes;
  const fixed = [...shared(globalRoutes(options)), ...ownRoutes(options)];
  return {
    name: NAME,
    about: "Named chats kept by the server",
    writeError,
    errors: chatsErrors,
    routes: [...fixed, ...refusalsToDelete(fixed), ...shared(chatRoutes(options))],
  };
}

function withoutCredential(routes: readonly Route[]): readonly Route[] {
  return routes.map((one) =>
    one.doc === undefined ? one : { ...one, doc: { ...one.doc, credential: "optional" } },
  );
}

/** Without these, `DELETE /:chat` would take these paths for chats. */
function refusalsToDelete(routes: readonly Route[]): readonly Route[] {
  return [...Map.groupBy(routes, ({ path }) => path)].flatMap(([path, all]): Route[] => {
    const methods = all.map(({ method }) => method);
    if (methods.includes("DELETE")) return [];
    const handle = () => {
      throw methodNotAllowed(methods);
    };
    return [{ method: "DELETE", path, counted: false, refuses: true, handle }];
  });
}

function route(method: Route["method"], path: string, doc: RouteDoc, handle: Route["handle"]) {
  return { method, path, counted: true, doc, handle };
}

/** The prompt that new chats copy, and moderation. */
function globalRoutes(options: ChatsOptions): readonly Route[] {
  const { access, conversations } = options;
  return [
    route("GET", "/system", chatsDocs.showGlobalPrompt, async (c) => {
      await ownerIn(c, options);
      return respondJson(c, 200, { content: await conversations.globalPrompt() });
    }),
    route("POST", "/system", chatsDocs.setGlobalPrompt, async (c) => {
      if (!access.open) {
        await access.checkOperator(c.env.incoming.headers, c.env.context.client.bucket);
      }
      const { json, open } = await readJsonCall(c, NAME, options);
      const { content: prompt, api_key: key } = parsed(globalPromptBody, json);
      if (access.open) await open(key || null);
      if (prompt !== "") await conversations.setGlobalPrompt(prompt);
      return respondJson(c, 200, {});
    }),
    route("POST", "/mod", chatsDocs.moderate, createModeration(options)),
  ];
}

/** Lists and exports, which require a credential even if chats are shared. */
function ownRoutes(options: ChatsOptions): readonly Route[] {
  const { conversations, access } = options;
  const personIn = async (c: AppContext) =>
    access.personOf((await openEmptyCall(c, NAME, options)).principal);
  return [
    route("GET", "/chats", chatsDocs.list, async (c) => {
      const owner = await personIn(c);
      const { limit, after } = parseListQuery(c.req.query());
      const last = after === null ? null : await conversations.findByName(owner, after);
      if (after !== null && last === null) {
        throw new ProxyError("conversation_not_found", { details: { field: "after" } });
      }
      const page = { named: true, limit, ...(last && { after: last }) };
      return respondJson(c, 200, writeChatList(await conversations.list(owner, page)));
    }),
    route("GET", "/conversations", chatsDocs.exportAll, async (c) => {
      return streamText(c, LINES_TYPE, writeExport(conversations.export(await personIn(c))));
    }),
    route("DELETE", "/conversations", chatsDocs.deleteAll, async (c) => {
      const deleted = await conversations.deleteEverything(await personIn(c));
      return respondJson(c, 200, { deleted });
    }),
  ];
}

/** Paths below a chat's name. */
function chatRoutes(options: ChatsOptions): readonly Route[] {
  const { access, conversations } = options;
  const chats = createNamedChats(conversations);
  return [
    route("POST", "/:chat/chat", chatsDocs.ask, createAskInChat(options, chats, parseChat)),
    route(
      "POST",
      "/:chat/img",
      chatsDocs.askAboutImage,
      createAskInChat(options, chats, parseImage),
    ),
    route("GET", "/:chat/chat", chatsDocs.history, async (c) => {
      return respondJson(
        c,
        200,
        writeHistory(await chats.history(await ownerIn(c, options), nameIn(c))),
      );
    }),
    route("POST", "/:chat/clear", chatsDocs.clear, async (c) => {
      await chats.remove(await ownerIn(c, options), nameIn(c));
      return respondJson(c, 200, {});
    }),
    {
      ...route("DELETE", "/:chat", chatsDocs.remove, async (c) => {
        const found = await chats.remove(await ownerIn(c, options), nameIn(c));
        if (!found) throw new ProxyError("conversation_not_found");
        return respondJson(c, 200, {});
      }),
      onlyMethod: true,
    },
    route("GET", "/:chat/system", chatsDocs.showPrompt, async (c) => {
      const { systemPrompt } = await chats.find(await ownerIn(c, options), nameIn(c));
      return respondJson(c, 200, { role: "system", content: systemPrompt });
    }),
    route("POST", "/:chat/system", chatsDocs.setPrompt, async (c) => {
      const { json, open } = await readJsonCall(c, NAME, options);
      const { content, api_key: key } = parsed(chatPromptBody, json);
      const { principal } = await open(key || null);
      const owner = access.ownerOf(principal);
      const roomOf = () => access.roomOf(principal);
      await chats.setPrompt({ owner, roomOf }, nameIn(c), content);
      return respondJson(c, 200, {});
    }),
  ];
}

/** The owner of the chats in a request without a body. */
async function ownerIn(c: AppContext, options: ChatsOptions): Promise<string> {
  return options.access.ownerOf((await openEmptyCall(c, NAME, options)).principal);
}

function nameIn(c: AppContext): string {
  return c.req.param("chat") ?? "";
}
