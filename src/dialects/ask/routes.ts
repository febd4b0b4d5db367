import { ProxyError } from "../../core/errors.ts";
import type { ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";
import { type CallOptions, openEmptyCall, readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect } from "../../http/dialect.ts";
import { streamEvents, writeTurnEvents } from "../../http/reply/event-stream.ts";
import {
  createDescribeFailure,
  createJsonErrors,
  respondJson,
} from "../../http/reply/json-response.ts";
import type { Translate } from "../../locales.ts";
import { askDoc, deleteDoc, showDoc, webSocketDoc } from "./docs.ts";
import { askErrorForm, askErrors } from "./errors.ts";
import type { TreeDialogue } from "./questions.ts";
import { askBody, parseAsk, writeTree, writeTurn } from "./wire.ts";

export interface AskTreesOptions extends CallOptions {
  readonly questions: TreeDialogue;
  readonly rules: ModelRules;
  readonly translate: Translate;
}

const NAME = "ask";

/** `/ask/:conversation_id`: conversation trees over HTTP. */
export function createAskTrees(options: AskTreesOptions): Dialect {
  const { questions, rules, translate } = options;
  const writeError = createJsonErrors(translate, askErrorForm);
  const describe = createDescribeFailure(translate, askErrorForm);

  const ask = async (c: AppContext): Promise<Response> => {
    const { json, open } = await readJsonCall(c, NAME, options);
    const { stream } = parsed(askBody, json);
    const question = parseAsk(json, idIn(c), rules);
    const call = await open(question.apiKey);
    if (stream === true) {
      const texts = writeTurnEvents(await questions.stream(call, question), (turn) =>
        writeTurn(turn, question.model),
      );
      return streamEvents(c, texts, (error) => describe(c.env.context, error));
    }
    return respondJson(c, 200, writeTurn(await questions.ask(call, question), question.model));
  };
  const show = async (c: AppContext): Promise<Response> => {
    const { principal } = await openEmptyCall(c, NAME, options);
    return respondJson(c, 200, writeTree(await questions.tree(principal, idIn(c))));
  };
  const remove = async (c: AppContext): Promise<Response> => {
    const { principal } = await openEmptyCall(c, NAME, options);
    if (await questions.remove(principal, idIn(c))) return respondJson(c, 200, {});
    throw new ProxyError("conversation_not_found");
  };
  const requireUpgrade = (c: AppContext) => writeError(c, new ProxyError("upgrade_needed"));

  const path = "/ask/:conversation_id";
  const plain = { method: "GET", path: "/ask", counted: false, refuses: true } as const;
  return {
    name: NAME,
    about: "Conversation trees kept by the server; the id `new` begins one",
    writeError,
    errors: askErrors,
    routes: [
      { method: "POST", path, counted: true, handle: ask, doc: askDoc },
      { method: "GET", path, counted: true, handle: show, doc: showDoc },
      { method: "DELETE", path, counted: true, handle: remove, doc: deleteDoc },
      { ...plain, handle: requireUpgrade, doc: webSocketDoc },
    ],
  };
}

function idIn(c: AppContext): string {
  return c.req.param("conversation_id") ?? "";
}
