import { type Dialect, methodNotAllowed, type Route } from "../../http/dialect.ts";
import { createJsonErrors } from "../../http/reply/json-response.ts";
import { chatRoutes } from "./chat-routes.ts";
import { chatsErrorForm, chatsErrors } from "./errors.ts";
import { globalRoutes } from "./global-routes.ts";
import { createNamedChats } from "./named-chats.ts";
import { type ChatsOptions, NAME } from "./options.ts";
import { ownRoutes } from "./own-routes.ts";

/** Named chats kept by the server. To be mounted last: `/:chat/…` is whatever its client calls it. */
export function createChats(options: ChatsOptions): Dialect {
  const writeError = createJsonErrors(options.translate, chatsErrorForm);
  const fixed = [...globalRoutes(options), ...ownRoutes(options)];
  const named = chatRoutes(options, createNamedChats(options.conversations));
  return {
    name: NAME,
    about: "Named chats kept by the server",
    writeError,
    errors: chatsErrors,
    routes: [...fixed, ...refusalsToDelete(fixed), ...named],
  };
}

/** `DELETE /:chat` would take these paths for chats. */
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
