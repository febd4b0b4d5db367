import type { ServerResponse } from "node:http";
import type { Ledger } from "../../core/accounts/accounts.ts";
import type { Call, Principal } from "../../core/call/call.ts";
import type { Pipeline, RelayCall } from "../../core/call/pipeline.ts";
import type { Routing } from "../../core/call/targets.ts";
import { ProxyError } from "../../core/errors.ts";
import type { RelayAnswer } from "../../core/upstream-ports.ts";
import { checkPassedOn, type ModelRules, type PassedOn } from "../../http/body/model-choice.ts";
import { parseJson } from "../../http/body/parsed.ts";
import type { Idempotent } from "../../http/call/idempotency.ts";
import { openEmptyCall, readCallBody } from "../../http/call/json-call.ts";
import type { AppContext, RequestContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc } from "../../http/dialect.ts";
import { sendWhole } from "../../http/reply/json-response.ts";
import { respond } from "../../http/reply/response-headers.ts";
import { holdWhole, wholeOf } from "../../http/reply/whole-answer.ts";
import type { Translate } from "../../locales.ts";
import { createWriteBreak } from "./broken-stream.ts";
import { modelDoc, modelsDoc, relayDoc, usageDoc, weekDoc } from "./docs.ts";
import { chatEndpoint, type Endpoint, endpoints, openaiSegments } from "./endpoints.ts";
import { createOpenAIErrors, openaiErrors, writeOpenAIError } from "./errors.ts";
import { checkOwnKey, type FileOptions, fileRoutes, type OwnKeyRequest } from "./files.ts";
import { refuseHandshakes } from "./handshakes.ts";
import {
  askedModel,
  type ModelFilter,
  modelNotFound,
  modelsRequest,
  modelsWithin,
  routedModel,
  writeModels,
} from "./models.ts";
import { canonicalPath } from "./paths.ts";
import { usageOf, weekOf } from "./usage.ts";
import { openaiHeaders, parseRelay, passAnswer, passOn } from "./wire.ts";

export interface OpenAIOptions extends FileOptions {
  readonly pipeline: Pipeline;
  readonly idempotent: Idempotent;
  readonly modelFilter: ModelFilter;
  readonly routing: Pick<Routing, "routed">;
  readonly rules: ModelRules;
  /** In the examples of /openapi.json. */
  readonly model: string;
  /** For tokens, as each of their calls needs a price. */
  readonly moderationModel: string;
  readonly ledger: Ledger;
  readonly translate: Translate;
}

const JSON_TYPE = "application/json";
const NAME = "openai";

/** OpenAI's own API under /v1, and the token agent's `POST /chat`, which is the same. */
export function createOpenAI(options: OpenAIOptions): Dialect {
  const post = (path: string, endpoint: Endpoint, anyType: boolean) =>
    route("POST", path, relayDoc(endpoint, options.model), createRelay(options, endpoint, anyType));
  return {
    name: NAME,
    about: "OpenAI's own API: bodies and answers pass through unchanged, unknown fields too",
    prefix: "/v1",
    canonicalPath,
    knownSegments: openaiSegments,
    errors: openaiErrors,
    writeError: refuseHandshakes(createOpenAIErrors(options.translate)),
    routes: [
      ...endpoints.map((endpoint) => post(`/v1${endpoint.path}`, endpoint, false)),
      post("/chat", chatEndpoint, true),
      route("GET", "/v1/models", modelsDoc, createModels(options)),
      route("GET", "/v1/models/:model{.+}", modelDoc, createModel(options)),
      ...fileRoutes(options).map(({ method, path, doc, request }) =>
        route(method, path, doc, createForOwnKey(options, request)),
      ),
      route("GET", "/usage", usageDoc, createReport(options, usageOf)),
      route("GET", "/data/week", weekDoc, createReport(options, weekOf)),
    ],
  };
}

function route(method: Route["method"], path: string, doc: RouteDoc, handle: Route["handle"]) {
  return { method, path, counted: true, doc, handle };
}

function createRelay(options: OpenAIOptions, endpoint: Endpoint, anyType: boolean) {
  const { pipeline, idempotent, translate } = options;
  const defaultModel = endpoint.hasDefaultModel ? options.moderationModel : null;
  const rules = { ...options.rules, model: defaultModel ?? options.rules.model };
  return async function relay(c: AppContext): Promise<Response> {
    const { incoming, outgoing, context } = c.env;
    const call = await callOf(c, options);
    const bytes = await readCallBody(c, options, anyType);
    const added = call.principal.kind === "token" ? defaultModel : null;
    const check = (asked: PassedOn) => checkPassedOn(call.principal, asked, rules);
    const relayCall = parseRelay(endpoint, parseJson(bytes), bytes, added, check);
    const { request } = relayCall;
    const key = incoming.headers["idempotency-key"];
    if (request.streamed || typeof key !== "string" || key === "") {
      const relayed = await pipeline.relay(call, passing(relayCall));
      return respondPassing(outgoing, context, relayed, endpoint, translate);
    }
    let isOwn = false;
    const { principal, signal } = call;
    const repeatable = { principal, signal, key, headers: incoming.headers, request };
    const whole = await idempotent(repeatable, async () => {
      isOwn = true;
      return wholeOf(await pipeline.relay(call, relayCall));
    });
    if (!isOwn) await holdWhole(call, whole.bytes.length);
    const headers = openaiHeaders(context, whole.contentType);
    return sendWhole(outgoing, whole.status, headers, whole.bytes);
  };
}

/** What is not remembered is not held either. */
function passing({ request, ...others }: RelayCall): RelayCall {
  return { ...others, request: { ...request, mayPass: true } };
}

/** A function of its own, so that an open answer keeps no part of its question in memory. */
function respondPassing(
  outgoing: ServerResponse,
  context: RequestContext,
  relayed: RelayAnswer,
  endpoint: Endpoint,
  translate: Translate,
): Response {
  const headers = openaiHeaders(context, relayed.contentType);
  const describe = (error: ProxyError) => writeOpenAIError(translate, context, error);
  return passOn(outgoing, relayed, headers, createWriteBreak(endpoint, describe));
}

function createModels(options: OpenAIOptions) {
  return async function models(c: AppContext): Promise<Response> {
    const call = await callOf(c, options);
    const { outgoing, context } = c.env;
    const { principal } = call;
    const routed = modelsWithin(principal, await options.routing.routed());
    // a token's list is made of the whole one
    const mayPass = principal.kind !== "token" && routed.length === 0;
    const relaying = options.pipeline.relayUnmetered(call, { ...modelsRequest, mayPass });
    const relayed = await relaying.catch((error: unknown) => {
      // what is routed needs no default upstream
      if (routed.length === 0 || principal.kind === "own-key") throw error;
      return null;
    });
    const headers = openaiHeaders(context, JSON_TYPE);
    if (relayed?.kind === "passing") return passAnswer(outgoing, relayed, headers);
    const bytes = relayed && wholeOf(relayed).bytes;
    const body = await writeModels(bytes, principal, options.modelFilter, routed);
    return sendWhole(outgoing, 200, headers, body);
  };
}

/** What a token may not use is not there for it, so that it learns no names. */
function createModel(options: OpenAIOptions) {
  return async function model(c: AppContext): Promise<Response> {
    const call = await callOf(c, options);
    const { outgoing, context } = c.env;
    const { id, request } = askedModel(c.req.path);
    if (!(await options.modelFilter(call.principal, id))) throw modelNotFound(id);
    if ((await options.routing.routed()).has(id)) {
      const headers = openaiHeaders(context, JSON_TYPE);
      return sendWhole(outgoing, 200, headers, JSON.stringify(routedModel(id)));
    }
    const relayed = await options.pipeline.relayUnmetered(call, request);
    return sendPassed(outgoing, context, relayed);
  };
}

/** Asks for what costs nothing here: the account of the key pays the service. */
function createForOwnKey(options: OpenAIOptions, requestOf: OwnKeyRequest) {
  return async function askWithOwnKey(c: AppContext): Promise<Response> {
    const call = await callOf(c, options);
    checkOwnKey(call);
    const { outgoing, context } = c.env;
    const relayed = await options.pipeline.relayUnmetered(call, await requestOf(c, call));
    return sendPassed(outgoing, context, relayed);
  };
}

function sendPassed(outgoing: ServerResponse, context: RequestContext, answer: RelayAnswer) {
  const headers = openaiHeaders(context, answer.contentType);
  if (answer.kind === "passing") return passAnswer(outgoing, answer, headers);
  const { status, bytes } = wholeOf(answer);
  return sendWhole(outgoing, status, headers, bytes);
}

/** Shows token holders their own rows of the ledger. */
function createReport(
  options: OpenAIOptions,
  report: (ledger: Ledger, principal: Principal) => Promise<unknown>,
) {
  return async function showReport(c: AppContext): Promise<Response> {
    const { principal } = await callOf(c, options);
    const body = JSON.stringify(await report(options.ledger, principal));
    return respond(200, body, openaiHeaders(c.env.context, JSON_TYPE));
  };
}

/** Visitors may spend the operator's key in the older dialects only; here clients authenticate. */
async function callOf(c: AppContext, options: OpenAIOptions): Promise<Call> {
  const call = await openEmptyCall(c, NAME, options);
  if (call.principal.kind === "visitor") throw new ProxyError("credential_missing");
  return call;
}
