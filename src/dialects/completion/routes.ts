import type { Pipeline } from "../../core/call/pipeline.ts";
import type { ModelRules } from "../../http/body/model-choice.ts";
import { type CallOptions, readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc } from "../../http/dialect.ts";
import { streamEvents } from "../../http/reply/event-stream.ts";
import { createDescribeFailure, createJsonErrors } from "../../http/reply/json-response.ts";
import { answer, responseHeaders } from "../../http/reply/response-headers.ts";
import { collect } from "../../http/reply/whole-answer.ts";
import type { Translate } from "../../locales.ts";
import { type AccessOptions, createAccess } from "./access.ts";
import { completionAnswer, completionEvent, writeCompletion, writeWholeAsChunk } from "./answer.ts";
import { completionErrorForm, completionErrors } from "./errors.ts";
import { PAGE_HEADERS, writePage } from "./page.ts";
import { writeChunks } from "./stream.ts";
import { completionBody, parseCompletion } from "./wire.ts";

export interface CompletionOptions extends CallOptions, AccessOptions {
  readonly pipeline: Pipeline;
  readonly rules: ModelRules;
  /** The largest event of a stream that is put together. */
  readonly maxEventBytes: number;
  readonly translate: Translate;
}

const NAME = "completion";
const PATH = "/chat_complete";

/** `/chat_complete`: the upstream's own completion object, and its text where it is easily found. */
export function createCompletion(options: CompletionOptions): Dialect {
  const { pipeline, rules, maxEventBytes, translate } = options;
  const enter = createAccess(options);
  const describe = createDescribeFailure(translate, completionErrorForm);

  const complete = async (c: AppContext): Promise<Response> => {
    const { json, bytes, open } = await readJsonCall(c, NAME, options, enter);
    const { wish, apiKey } = parseCompletion(json, bytes, rules);
    const relayed = await pipeline.relay(await open(apiKey), wish);
    if (wish.request.streamed) {
      // some servers ignore `stream`; what they answered is still an answer
      const texts =
        relayed.kind === "streamed"
          ? writeChunks(relayed, maxEventBytes)
          : one(writeWholeAsChunk(relayed));
      return streamEvents(c, texts, (error) => describe(c.env.context, error));
    }
    const body = writeCompletion(await collect(relayed));
    return answer(200, body, responseHeaders(c.env.context, "application/json; charset=utf-8"));
  };

  const explain = (c: AppContext): Response => {
    const context = c.env.context;
    const headers = { ...responseHeaders(context, "text/html; charset=utf-8"), ...PAGE_HEADERS };
    return answer(200, writePage(translate, context.language, rules.model), headers);
  };

  const routes: Route[] = [
    { method: "POST", path: PATH, counted: true, handle: complete, doc: completeDoc },
    { method: "GET", path: PATH, counted: false, handle: explain, doc: explainDoc },
  ];
  return {
    name: NAME,
    about: "One question with any parameters of chat completions",
    writeError: createJsonErrors(translate, completionErrorForm),
    errors: completionErrors,
    routes,
  };
}

const completeDoc: RouteDoc = {
  summary: "Completes a prompt or a list of messages",
  body: completionBody,
  answer: completionAnswer,
  event: completionEvent,
  credential: "optional",
  fails: ["access_token_rejected"],
  headers: {
    "access-token":
      "The secret that the operator has set (ACCESS_TOKEN), or a token of this server",
    "openai-token": "The caller's own OpenAI API key",
  },
};

const explainDoc: RouteDoc = {
  summary: "Shows how to call it",
  answerType: "text/html",
  credential: "none",
};

async function* one(text: string): AsyncGenerator<string> {
  yield text;
}
