import type { ServerResponse } from "node:http";
import type { Call } from "../../core/call/call.ts";
import type { Pipeline } from "../../core/call/pipeline.ts";
import { ProxyError } from "../../core/errors.ts";
import { shownModel } from "../../core/shown-model.ts";
import type { RelayAnswer } from "../../core/upstream-ports.ts";
import { checkPassedOn, type ModelRules, type PassedOn } from "../../http/body/model-choice.ts";
import { parseJson } from "../../http/body/parsed.ts";
import { anthropicHeaders, asAnthropicClient } from "../../http/call/anthropic-client.ts";
import type { Identify } from "../../http/call/credentials.ts";
import type { Idempotent } from "../../http/call/idempotency.ts";
import { type CallOptions, openEmptyCall, readCallBody } from "../../http/call/json-call.ts";
import { repeatedAnswer, repeatKeyOf } from "../../http/call/repeated.ts";
import type { AppContext, RequestContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc } from "../../http/dialect.ts";
import { sendWhole } from "../../http/reply/json-response.ts";
import { passOn } from "../../http/reply/pass-on.ts";
import { wholeOf } from "../../http/reply/whole-answer.ts";
import type { Translate } from "../../locales.ts";
import { countDoc, messagesDoc } from "./docs.ts";
import {
  anthropicErrors,
  anthropicResponseHeaders,
  createAnthropicErrors,
  createErrorEvent,
} from "./errors.ts";
import { COUNT_PATH, MESSAGES_PATH, messagesPath, upstreamPath } from "./paths.ts";
import { parseCount, parseMessages } from "./wire.ts";

export interface AnthropicOptions extends CallOptions {
  readonly pipeline: Pipeline;
  readonly idempotent: Idempotent;
  /** Whether a principal may use a model. */
  readonly modelFilter: (principal: Call["principal"], model: string) => Promise<boolean>;
  readonly rules: ModelRules;
  /** In the examples of /openapi.json. */
  readonly model: string;
  readonly translate: Translate;
}

const NAME = "anthropic";

/** Anthropic's Messages API, for models of every service. */
export function createAnthropic(given: AnthropicOptions): Dialect {
  const options = { ...given, identify: identifying(given.identify) };
  return {
    name: NAME,
    about: "Anthropic's Messages API, for the models of services of any kind",
    canonicalPath: messagesPath,
    errors: anthropicErrors,
    writeError: createAnthropicErrors(options.translate),
    routes: [
      post(MESSAGES_PATH, messagesDoc(options), createMessages(options)),
      post(COUNT_PATH, countDoc(options.model), createCount(options)),
    ],
  };
}

function post(path: string, doc: RouteDoc, handle: Route["handle"]): Route {
  return { method: "POST", path, counted: true, doc, handle };
}

/** These paths are Anthropic's alone, so its header for keys counts whatever else is sent. */
function identifying(identify: Identify): Identify {
  return (client, headers, bodyKey) => identify(client, asAnthropicClient(headers), bodyKey);
}

function createMessages(options: AnthropicOptions) {
  const { pipeline, rules, translate } = options;
  return async function messages(c: AppContext): Promise<Response> {
    const { incoming, outgoing, context } = c.env;
    const call = await callOf(c, options);
    const bytes = await readCallBody(c, options);
    const check = (asked: PassedOn) => checkPassedOn(call.principal, asked, rules);
    const relayCall = parseMessages(parseJson(bytes), bytes, askedBy(c), check);
    const key = repeatKeyOf(incoming.headers, relayCall);
    if (key === null) {
      const request = { ...relayCall.request, mayPass: true };
      const relayed = await pipeline.relay(call, { ...relayCall, request });
      return respondPassing(outgoing, context, relayed, translate);
    }
    const repeat = { key, headers: asAnthropicClient(incoming.headers) };
    const whole = await repeatedAnswer(options, call, relayCall, repeat);
    const headers = anthropicResponseHeaders(context, whole.contentType);
    return sendWhole(outgoing, whole.status, headers, whole.bytes);
  };
}

/** A function of its own, so that an open answer keeps no part of its question in memory. */
function respondPassing(
  outgoing: ServerResponse,
  context: RequestContext,
  relayed: RelayAnswer,
  translate: Translate,
): Response {
  const headers = anthropicResponseHeaders(context, relayed.contentType);
  return passOn(outgoing, relayed, headers, createErrorEvent(translate, context));
}

/** Costs nothing, here and at the service. */
function createCount(options: AnthropicOptions) {
  return async function count(c: AppContext): Promise<Response> {
    const { outgoing, context } = c.env;
    const call = await callOf(c, options);
    const bytes = await readCallBody(c, options);
    const { model, request } = parseCount(parseJson(bytes), bytes, askedBy(c));
    if (!(await options.modelFilter(call.principal, model))) {
      const params = { model: shownModel(model) };
      throw new ProxyError("model_not_found", { params, details: { field: "model" } });
    }
    const answer = wholeOf(await options.pipeline.relayUnmetered(call, request, { model }));
    const headers = anthropicResponseHeaders(context, answer.contentType);
    return sendWhole(outgoing, answer.status, headers, answer.bytes);
  };
}

function askedBy(c: AppContext) {
  return {
    path: upstreamPath(c.req.path, c.req.query("beta")),
    anthropic: anthropicHeaders(c.env.incoming.headers),
  };
}

/** As everywhere below /v1, clients authenticate. */
async function callOf(c: AppContext, options: AnthropicOptions): Promise<Call> {
  const call = await openEmptyCall(c, NAME, options);
  if (call.principal.kind === "visitor") throw new ProxyError("credential_missing");
  return call;
}
