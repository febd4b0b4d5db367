import type { Pipeline } from "../../core/call/pipeline.ts";
import type { Dialogue } from "../../core/conversations/turn.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import { checkModel, chosenModel, type ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";
import { expectedOfRelay } from "../../http/body/relay-fields.ts";
import { type CallOptions, readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import { streamEvents, writeTurnEvents } from "../../http/reply/event-stream.ts";
import { createDescribeFailure, respondJson, sendWhole } from "../../http/reply/json-response.ts";
import { responseHeaders } from "../../http/reply/response-headers.ts";
import { wholeOf } from "../../http/reply/whole-answer.ts";
import type { Translate } from "../../locales.ts";
import type { ChatAccess } from "./access.ts";
import { chatsErrors } from "./errors.ts";
import type { NamedChats } from "./named-chats.ts";
import { moderationBody, type ParseQuestion, writeChatAnswer } from "./wire.ts";

export const NAME = "chats";

export interface ChatAskOptions extends CallOptions {
  readonly dialogue: Dialogue;
  readonly pipeline: Pick<Pipeline, "relay">;
  readonly access: ChatAccess;
  readonly rules: ModelRules;
  /** Most messages of a chat's history sent upstream. */
  readonly maxMessages: number;
  readonly moderationModel: string;
  readonly translate: Translate;
}

/** Asks in a named chat, one turn at a time. */
export function createAskInChat(options: ChatAskOptions, chats: NamedChats, parse: ParseQuestion) {
  const { dialogue, access, rules, maxMessages, translate } = options;
  const describe = createDescribeFailure(translate, chatsErrors);

  return async function askInChat(c: AppContext): Promise<Response> {
    const { json, open } = await readJsonCall(c, NAME, options);
    const { question, model, maxTokens, stream, apiKey } = parse(json, rules);
    const call = await open(apiKey);
    checkModel(call.principal, model, rules);
    const owner = access.ownerOf(call.principal);
    const roomOf = () => access.roomOf(call.principal);
    const name = c.req.param("chat") ?? "";
    const { id: conversationId } = await chats.open({ owner, roomOf }, name);
    const chat = { owner, conversationId, parentId: null, onlyAtNewest: true };
    const request = { ...chat, question, model, maxTokens, maxMessages };
    if (stream) {
      const events = await dialogue.stream(call, request);
      const texts = writeTurnEvents(events, (turn) => writeChatAnswer(turn, model));
      return streamEvents(c, texts, (error) => describe(c.env.context, error));
    }
    return respondJson(c, 200, writeChatAnswer(await dialogue.ask(call, request), model));
  };
}

/** `POST /mod`: relays a message to the upstream's moderation endpoint. */
export function createModeration(options: ChatAskOptions) {
  const { access, pipeline, moderationModel, rules } = options;
  const moderationRules = { ...rules, model: moderationModel };

  return async function moderate(c: AppContext): Promise<Response> {
    const { json, open } = await readJsonCall(c, NAME, options);
    const { content: input, model: asked, api_key: key } = parsed(moderationBody, json);
    const model = chosenModel(asked, moderationRules);
    const call = await open(key || null);
    checkModel(call.principal, model, moderationRules);
    access.ownerOf(call.principal);
    const requestFor = (name: string): RelayRequest => {
      const body = wellFormedJson({ model: name, input });
      const whole = { streamed: false, hideUsage: false, named: requestFor };
      return { method: "POST", path: "/moderations", body, ...whole };
    };
    const bytes = Buffer.byteLength(wellFormedJson(input));
    const relayed = await pipeline.relay(call, {
      model,
      expected: expectedOfRelay({ input }, bytes, null),
      request: requestFor(model),
    });
    const { status, bytes: answer, contentType } = wholeOf(relayed);
    return sendWhole(c.env.outgoing, status, responseHeaders(c.env.context, contentType), answer);
  };
}
