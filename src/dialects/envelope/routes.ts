import type { Pipeline } from "../../core/call/pipeline.ts";
import { ProxyError } from "../../core/errors.ts";
import { checkModel } from "../../http/body/model-choice.ts";
import { type CallOptions, readJsonCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, WriteError } from "../../http/dialect.ts";
import { createPageErrors } from "../../http/reply/error-page.ts";
import { streamEvents } from "../../http/reply/event-stream.ts";
import { createDescribeFailure, sendJson } from "../../http/reply/json-response.ts";
import { jsonWithRepeated } from "../../http/reply/repeated-text.ts";
import type { Translate } from "../../locales.ts";
import { envelopeDoc } from "./docs.ts";
import { envelopeErrorForm, envelopeErrors } from "./errors.ts";
import { type EnvelopeLimits, parseEnvelope, writeEnvelope, writeEnvelopeEvents } from "./wire.ts";

export interface EnvelopeOptions extends CallOptions {
  /** `/` or `/api`. */
  readonly route: string;
  readonly limits: EnvelopeLimits;
  /** Whether callers without a key or token may ask. */
  readonly sharedKey: boolean;
  readonly pipeline: Pipeline;
  readonly translate: Translate;
}

const NAME = "envelope";

/** `POST /{ROUTE}`: `{code, msg, data}`, as clients of the envelope API read it since 2023. */
export function createEnvelope(options: EnvelopeOptions): Dialect {
  const { route, limits, sharedKey, pipeline, translate } = options;
  const doc = envelopeDoc(limits, sharedKey);
  const writeError = createEnvelopeErrors(translate);
  const describe = createDescribeFailure(translate, envelopeErrorForm(translate));

  const ask = async (c: AppContext): Promise<Response> => {
    const context = c.env.context;
    const { json, open } = await readJsonCall(c, NAME, options);
    const question = parseEnvelope(json, limits);
    const call = await open(question.apiKey);
    checkModel(call.principal, question.request.model, limits);
    const msg = translate(context.language, "success");
    if (question.stream) {
      const events = await pipeline.stream(call, question.request);
      const texts = writeEnvelopeEvents(events, question, msg);
      return streamEvents(c, texts, (error) => describe(context, error));
    }
    const completion = await pipeline.complete(call, question.request);
    const body = writeEnvelope(msg, question, completion);
    return sendJson(c, 200, jsonWithRepeated(body, completion.text));
  };

  const forbid = (c: AppContext) => writeError(c, new ProxyError("route_forbidden"));
  const at = (path: string): Route[] => [
    { method: "POST", path, counted: true, handle: ask, doc },
    { method: "GET", path, counted: false, refuses: true, handle: forbid },
  ];
  // GET / belongs to the pages
  const routes =
    route === "/"
      ? at("/").filter(({ method }) => method === "POST")
      : [...at(route), ...at(`${route}/`)];
  const about = "A question and its answer, with the conversation to send back next time";
  return { name: NAME, about, routes, writeError, errors: envelopeErrors };
}

/** Also writes the errors of unknown paths. */
export function createEnvelopeErrors(translate: Translate): WriteError {
  return createPageErrors(translate, envelopeErrorForm(translate));
}
