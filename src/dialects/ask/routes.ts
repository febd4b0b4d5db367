import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import type { ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";
import { type CallOptions, openEmptyCall, readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc } from "../../http/dialect.ts";
import { streamEvents } from "../../http/reply/event-stream.ts";
import {
  createDescribeFailure,
  createJsonErrors,
  respondJson,
} from "../../http/reply/json-response.ts";
import { writeTurnEvents } from "../../http/reply/turn-events.ts";
import type { Translate } from "../../locales.ts";
import { askErrorForm, askErrors } from "./errors.ts";
import type { AskQuestions } from "./questions.ts";
import { askAnswer, askBody, askEvent, askTree, parseAsk, writeTree, writeTurn } from "./wire.ts";

export interface AskHttpOptions extends CallOptions {
  readonly questions: AskQuestions;
  readonly rules: ModelRules;
  readonly translate: Translate;
}

const NAME = "ask";
const PATH = "/ask/:conversation_id";

/** `/ask/:conversation_id`: conversation trees over HTTP. */
export function createAsk(options: AskHttpOptions): Dialect {
  const { questions, rules, translate } = options;
  const writeError = createJsonErrors(translate, askErrorForm);
  const describe = createDescribeFailure(translate, askErrorForm);

  const ask = async (c: AppContext): Promise<Response> => {
    const { json, open } = await readJsonCall(c, NAME, options);
    const { stream } = parsed(askBody, json);
    const question = parseAsk(json, idOf(c), rules);
    const call = await open(question.apiKey);
    if (stream === true) {
      const texts = writeTurnEvents(await questions.stream(call, question), (kept) =>
        writeTurn(kept, question.model),
      );
      return streamEvents(c, texts, (error) => describe(c.env.context, error));
    }
    return respondJson(c, 200, writeTurn(await questions.ask(call, question), question.model));
  };
  const show = async (c: AppContext): Promise<Response> => {
    const { principal } = await openEmptyCall(c, NAME, options);
    return respondJson(c, 200, writeTree(await questions.tree(principal, idOf(c))));
  };
  const remove = async (c: AppContext): Promise<Response> => {
    const { principal } = await openEmptyCall(c, NAME, options);
    if (await questions.remove(principal, idOf(c))) return respondJson(c, 200, {});
    throw new ProxyError("conversation_not_found");
  };
  const needUpgrade = (c: AppContext) => writeError(c, new ProxyError("upgrade_needed"));

  const route = (method: Route["method"], handle: Route["handle"]): Route => {
    return { method, path: PATH, counted: true, handle, ...docs[method] };
  };
  return {
    name: NAME,
    about: "Conversation trees kept by the server; the id `new` begins one",
    writeError,
    errors: askErrors,
    routes: [
      route("POST", ask),
      route("GET", show),
      route("DELETE", remove),
      {
        method: "GET",
        path: "/ask",
        counted: false,
        refuses: true,
        handle: needUpgrade,
        doc: socketDoc,
      },
    ],
  };
}

/** What /openapi.json says of them. */
const params = { conversation_id: z.string().describe("`new`, or the id of a conversation") };
const docs: Partial<Record<Route["method"], { readonly doc: RouteDoc }>> = {
  POST: {
    doc: {
      summary: "Asks in a conversation tree",
      body: askBody,
      answer: askAnswer,
      event: askEvent,
      credential: "optional",
      params,
      fails: [
        "field_needs",
        "conversation_not_found",
        "message_not_found",
        "conversation_conflict",
        "conversation_full",
        "conversations_limited",
      ],
    },
  },
  GET: {
    doc: {
      summary: "Shows a conversation tree",
      answer: askTree,
      credential: "optional",
      params,
      fails: ["conversation_not_found"],
    },
  },
  DELETE: {
    doc: {
      summary: "Deletes a conversation tree",
      answer: z.object({}),
      credential: "optional",
      params,
      fails: ["conversation_not_found"],
    },
  },
};

const socketDoc: RouteDoc = {
  summary: "Opens a WebSocket for questions in conversation trees",
  description:
    "Without a WebSocket handshake the answer is 426. Each question on the socket counts as a call.",
  status: 101,
  credential: "optional",
  fails: ["upgrade_needed", "origin_forbidden", "connections_limited"],
};

function idOf(c: AppContext): string {
  return c.req.param("conversation_id") ?? "";
}
