import type { Pipeline } from "../../core/call/pipeline.ts";
import type { WholeAnswer } from "../../core/upstream-ports.ts";
import { checkPassedOn, type ModelRules } from "../../http/body/model-choice.ts";
import { type CallOptions, readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect } from "../../http/dialect.ts";
import { streamEvents } from "../../http/reply/event-stream.ts";
import {
  createDescribeFailure,
  createJsonErrors,
  sendJson,
  type WholeBody,
} from "../../http/reply/json-response.ts";
import { PAGE_HEADERS } from "../../http/reply/page.ts";
import { respond, responseHeaders } from "../../http/reply/response-headers.ts";
import type { Translate } from "../../locales.ts";
import { type CompletionAccessOptions, createCompletionAccess } from "./access.ts";
import { writeCompletion, writeWholeAsChunk } from "./answer.ts";
import { completeDoc, helpDoc } from "./docs.ts";
import { completionErrors } from "./errors.ts";
import { addressOf, writeHelpPage } from "./page.ts";
import { writeChunks } from "./stream.ts";
import { parseCompletionBody } from "./wire.ts";

export interface CompletionOptions extends CallOptions, CompletionAccessOptions {
  readonly pipeline: Pipeline;
  readonly rules: ModelRules;
  /** Largest event of a stream. */
  readonly maxEventBytes: number;
  readonly translate: Translate;
}

const NAME = "completion";
const PATH = "/chat_complete";

/** `/chat_complete`: the upstream's own completion object, with its text at the top level. */
export function createCompletion(options: CompletionOptions): Dialect {
  const { pipeline, rules, maxEventBytes, translate } = options;
  const enter = createCompletionAccess(options);
  const describe = createDescribeFailure(translate, completionErrors);

  const complete = async (c: AppContext): Promise<Response> => {
    const { json, bytes, open } = await readJsonCall(c, NAME, options, enter);
    const { relayCall, passedOn, apiKey } = parseCompletionBody(json, bytes, rules);
    const call = await open(apiKey);
    checkPassedOn(call.principal, passedOn, rules);
    const { streamed } = relayCall.request;
    let chunk = "";
    let body: WholeBody = "";
    const onWhole = (answer: WholeAnswer) => {
      if (streamed) chunk = writeWholeAsChunk(answer);
      else body = writeCompletion(answer);
    };
    const relayed = await pipeline.relay(call, { ...relayCall, onWhole });
    if (streamed) {
      // some servers ignore `stream`; a whole answer is still an answer
      const texts = relayed.kind === "streamed" ? writeChunks(relayed, maxEventBytes) : one(chunk);
      return streamEvents(c, texts, (error) => describe(c.env.context, error));
    }
    return sendJson(c, 200, body);
  };
  const help = ({ env: { incoming, context } }: AppContext): Response => {
    const headers = { ...responseHeaders(context, "text/html; charset=utf-8"), ...PAGE_HEADERS };
    const shown = { model: rules.model, address: addressOf(incoming) };
    return respond(200, writeHelpPage(translate, context.language, shown), headers);
  };

  return {
    name: NAME,
    about: "One question with any parameters of chat completions",
    writeError: createJsonErrors(translate, completionErrors),
    errors: completionErrors,
    routes: [
      {
        method: "POST",
        path: PATH,
        counted: true,
        handle: complete,
        doc: completeDoc(rules.model),
      },
      { method: "GET", path: PATH, counted: false, handle: help, doc: helpDoc },
    ],
  };
}

async function* one(text: string): AsyncGenerator<string> {
  yield text;
}
