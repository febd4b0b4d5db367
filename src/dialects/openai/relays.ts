import type { ServerResponse } from "node:http";
import type { Call } from "../../core/call/call.ts";
import type { Pipeline, RelayCall } from "../../core/call/pipeline.ts";
import type { ProxyError } from "../../core/errors.ts";
import { DEFAULT_UPSTREAM } from "../../core/routing/routing.ts";
import type { RelayAnswer, WholeAnswer } from "../../core/upstream-ports.ts";
import { checkPassedOn, type PassedOn } from "../../http/body/model-choice.ts";
import { parseJson } from "../../http/body/parsed.ts";
import { isForm } from "../../http/body/upload.ts";
import { readCallBody } from "../../http/call/json-call.ts";
import { repeatedAnswer, repeatKeyOf } from "../../http/call/repeated.ts";
import type { AppContext, RequestContext } from "../../http/call/request-context.ts";
import { sendWhole } from "../../http/reply/json-response.ts";
import { passAnswer, passOn } from "../../http/reply/pass-on.ts";
import { wholeOf } from "../../http/reply/whole-answer.ts";
import type { Translate } from "../../locales.ts";
import { createWriteBreak } from "./broken-stream.ts";
import type { Endpoint } from "./endpoints.ts";
import { writeOpenAIError } from "./errors.ts";
import { relayForm } from "./forms.ts";
import type { FormEndpoint } from "./media-endpoints.ts";
import { callOf, type OpenAIOptions } from "./options.ts";
import { withIdLearned } from "./stored-answers.ts";
import { openaiHeaders, parseRelay } from "./wire.ts";

export function createJsonRelay(options: OpenAIOptions, endpoint: Endpoint, anyType: boolean) {
  const { translate } = options;
  const defaultModel = endpoint.hasDefaultModel ? options.moderationModel : null;
  const rules = { ...options.rules, model: defaultModel ?? options.rules.model };
  return async function relay(c: AppContext): Promise<Response> {
    const { incoming, outgoing, context } = c.env;
    const call = await callOf(c, options);
    const bytes = await readCallBody(c, options, anyType);
    const added = call.principal.kind === "token" ? defaultModel : null;
    const check = (asked: PassedOn) => checkPassedOn(call.principal, asked, rules);
    const json = parseJson(bytes);
    const relayCall = parseRelay(endpoint, json, bytes, added, check);
    const keeping = endpoint.keepsAnswers ? await asOwner(options, call, Object(json)) : null;
    const pipeline = keeping ?? options.pipeline;
    const key = repeatKeyOf(incoming.headers, relayCall);
    if (key === null) {
      const relayed = await pipeline.relay(call, passing(relayCall));
      return respondPassing(outgoing, context, relayed, endpoint, translate);
    }
    const repeat = { key, headers: incoming.headers };
    const whole = await repeatedAnswer({ ...options, pipeline }, call, relayCall, repeat);
    const headers = openaiHeaders(context, whole.contentType);
    return sendWhole(outgoing, whole.status, headers, whole.bytes);
  };
}

/**
 * Throws if a token refers to what it has not made. What the service then keeps is the token's; null: it
 * keeps nothing.
 */
async function asOwner(
  { pipeline, storedOwners }: OpenAIOptions,
  { principal }: Call,
  json: object,
): Promise<Pick<Pipeline, "relay"> | null> {
  if (principal.kind !== "token") return null;
  const keeper = await storedOwners.checkFields(principal, json);
  const isKept = Reflect.get(json, "store") !== false;
  if (!isKept && keeper === undefined) return null;
  return {
    async relay(call, given) {
      const relayCall = keeper === undefined ? given : { ...given, upstream: keeper };
      if (!isKept) return pipeline.relay(call, relayCall);
      let answering = DEFAULT_UPSTREAM;
      const keep = (id: string, upstream = answering) =>
        storedOwners.keep(principal, { kind: "response", id, upstream });
      let kept: Promise<void> | null = null;
      const onWhole = ({ account: { upstreamId } }: WholeAnswer, upstream: string) => {
        // beside the row of the ledger, so that they can share a commit
        if (upstreamId !== null) kept = keep(upstreamId, upstream);
      };
      const onUpstream = (name: string | null) => {
        answering = name ?? answering;
        call.onUpstream?.(name);
      };
      const answer = await pipeline.relay({ ...call, onUpstream }, { ...relayCall, onWhole });
      await kept;
      return withIdLearned(answer, keep);
    },
  };
}

export function createFormRelay(options: OpenAIOptions, endpoint: FormEndpoint) {
  const { json } = endpoint;
  const relayJson = json === null ? null : createJsonRelay(options, json, false);
  return async function relayAnyForm(c: AppContext): Promise<Response> {
    const { incoming, outgoing, context } = c.env;
    if (relayJson !== null && !isForm(incoming.headers["content-type"])) return relayJson(c);
    const call = await callOf(c, options);
    const asked = await relayForm(c, call, endpoint, options);
    const relayed = await options.pipeline.relay(call, asked);
    return respondPassing(outgoing, context, relayed, {}, options.translate);
  };
}

/** What is not remembered is not held either. */
function passing({ request, ...others }: RelayCall): RelayCall {
  return { ...others, request: { ...request, mayPass: true } };
}

/** A function of its own, so that an open answer keeps no part of its question in memory. */
export function respondPassing(
  outgoing: ServerResponse,
  context: RequestContext,
  relayed: RelayAnswer,
  endpoint: Pick<Endpoint, "numbersEvents">,
  translate: Translate,
): Response {
  const headers = openaiHeaders(context, relayed.contentType);
  const describe = (error: ProxyError) => writeOpenAIError(translate, context, error);
  return passOn(outgoing, relayed, headers, createWriteBreak(endpoint, describe));
}

export function sendPassed(outgoing: ServerResponse, context: RequestContext, answer: RelayAnswer) {
  const headers = openaiHeaders(context, answer.contentType);
  if (answer.kind === "passing") return passAnswer(outgoing, answer, headers);
  const { status, bytes } = wholeOf(answer);
  return sendWhole(outgoing, status, headers, bytes);
}
