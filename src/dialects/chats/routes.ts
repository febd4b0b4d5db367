import type { Dialect, Route } from "../dialect.ts";
import { createJsonErrors } from "../edge/json-answer.ts";
import { chatRoutes } from "./chat-routes.ts";
import { chatsErrorForm } from "./errors.ts";
import { globalRoutes } from "./global-routes.ts";
import { createNamedChats } from "./named-chats.ts";
import { type ChatsOptions, NAME } from "./options.ts";
import { ownRoutes } from "./own-routes.ts";

/**
 * Named chats kept by the server. To be mounted last: `/:chat/…` is whatever its client calls it, so
 * the dialect's own fixed paths also come before it, other methods of theirs included.
 */
export function createChats(options: ChatsOptions): readonly Dialect[] {
  const writeError = createJsonErrors(options.translate, chatsErrorForm);
  const part = (routes: readonly Route[]): Dialect => ({ name: NAME, writeError, routes });
  return [
    part([...globalRoutes(options), ...ownRoutes(options)]),
    part(chatRoutes(options, createNamedChats(options.conversations))),
  ];
}
