import { readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Route } from "../../http/dialect.ts";
import { streamEvents } from "../../http/reply/event-stream.ts";
import { createDescribeFailure, respondJson } from "../../http/reply/json-response.ts";
import { writeTurnEvents } from "../../http/reply/turn-events.ts";
import { chatsErrorForm } from "./errors.ts";
import type { NamedChats } from "./named-chats.ts";
import { type ChatsOptions, NAME } from "./options.ts";
import { type ParseQuestion, writeAnswer } from "./wire.ts";

/** Asks in a named chat, one turn at a time. */
export function createTalk(
  options: ChatsOptions,
  chats: NamedChats,
  parse: ParseQuestion,
): Route["handle"] {
  const { dialogue, access, rules, maxMessages, translate } = options;
  const describe = createDescribeFailure(translate, chatsErrorForm);

  return async function talk(c: AppContext): Promise<Response> {
    const { json, open } = await readJsonCall(c, NAME, options);
    const { content, model, maxTokens, stream, apiKey } = parse(json, rules);
    const call = await open(apiKey);
    const owner = access.ownerOf(call.principal);
    const turn = {
      owner,
      conversationId: (await chats.open(owner, c.req.param("chat") ?? "")).id,
      parentId: null,
      onlyAtNewest: true,
      question: content,
      model,
      maxTokens,
      maxMessages,
    };
    if (stream) {
      const texts = writeTurnEvents(await dialogue.stream(call, turn), (kept) =>
        writeAnswer(kept, model),
      );
      return streamEvents(c, texts, (error) => describe(c.env.context, error));
    }
    return respondJson(c, 200, writeAnswer(await dialogue.ask(call, turn), model));
  };
}
