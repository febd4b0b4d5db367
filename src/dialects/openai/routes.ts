import type { Principal } from "../../core/call/call.ts";
import { anthropicHeaders, isAnthropicClient } from "../../http/call/anthropic-client.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc } from "../../http/dialect.ts";
import { sendWhole } from "../../http/reply/json-response.ts";
import { passAnswer } from "../../http/reply/pass-on.ts";
import { respond } from "../../http/reply/response-headers.ts";
import { wholeOf } from "../../http/reply/whole-answer.ts";
import { modelDoc, modelsDoc, relayDoc, usageDoc, weekDoc } from "./docs.ts";
import { chatEndpoint, type Endpoint, endpoints, openaiSegments } from "./endpoints.ts";
import { createOpenAIErrors, openaiErrors } from "./errors.ts";
import { checkOwnKey, fileRoutes, type OwnKeyRequest } from "./files.ts";
import { refuseHandshakes } from "./handshakes.ts";
import { formDoc, mediaDoc } from "./media-docs.ts";
import { formEndpoints, mediaEndpoints } from "./media-endpoints.ts";
import {
  askedModel,
  modelNotFound,
  modelsRequest,
  modelsWithin,
  routedModel,
  writeModels,
} from "./models.ts";
import { callOf, OPENAI, type OpenAIOptions } from "./options.ts";
import { canonicalPath } from "./paths.ts";
import { createFormRelay, createJsonRelay, sendPassed } from "./relays.ts";
import { storedRoutes } from "./stored-routes.ts";
import { type ReportOptions, usageOf, weekOf } from "./usage.ts";
import { openaiHeaders } from "./wire.ts";

const JSON_TYPE = "application/json";

/** OpenAI's own API under /v1, and the token agent's `POST /chat`, which is the same. */
export function createOpenAI(options: OpenAIOptions): Dialect {
  const post = (path: string, endpoint: Endpoint, anyType: boolean) =>
    route(
      "POST",
      path,
      relayDoc(endpoint, options.model),
      createJsonRelay(options, endpoint, anyType),
    );
  return {
    name: OPENAI,
    about: "OpenAI's own API: bodies and answers pass through unchanged, unknown fields too",
    prefix: "/v1",
    canonicalPath,
    knownSegments: openaiSegments,
    errors: openaiErrors,
    writeError: refuseHandshakes(createOpenAIErrors(options.translate)),
    routes: [
      ...endpoints.map((endpoint) => post(`/v1${endpoint.path}`, endpoint, false)),
      post("/chat", chatEndpoint, true),
      ...mediaEndpoints.map((endpoint) => {
        const doc = mediaDoc(endpoint, options.model);
        return route("POST", `/v1${endpoint.path}`, doc, createJsonRelay(options, endpoint, false));
      }),
      ...formEndpoints.map((endpoint) =>
        route(
          "POST",
          `/v1${endpoint.path}`,
          formDoc(endpoint, options.model),
          createFormRelay(options, endpoint),
        ),
      ),
      route("GET", "/v1/models", modelsDoc, createModels(options)),
      route("GET", "/v1/models/:model{.+}", modelDoc, createModel(options)),
      ...storedRoutes(options).map((one) => ({ ...one, counted: true })),
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

function createModels(options: OpenAIOptions) {
  return async function models(c: AppContext): Promise<Response> {
    const { visitorModels } = options;
    const call = await callOf(c, options, visitorModels.length > 0);
    const { outgoing, context } = c.env;
    const { principal } = call;
    const headers = openaiHeaders(context, JSON_TYPE);
    const isAnthropic = isAnthropicClient(c.env.incoming.headers);
    if (principal.kind === "visitor") {
      const list = await writeModels(null, principal, options.modelFilter, {
        routed: visitorModels,
        isAnthropic,
      });
      return sendWhole(outgoing, 200, headers, list);
    }
    const routed = modelsWithin(principal, await options.routing.routed());
    // a token's list is made of the whole one
    const mayPass = principal.kind !== "token" && routed.length === 0;
    const asked = { ...modelsRequest, mayPass, anthropic: anthropicIn(c) };
    const relayed = await options.pipeline.relayUnmetered(call, asked).catch((error: unknown) => {
      // what is routed needs no default upstream
      if (routed.length === 0 || principal.kind === "own-key") throw error;
      return null;
    });
    if (relayed?.kind === "passing") return passAnswer(outgoing, relayed, headers);
    const bytes = relayed && wholeOf(relayed).bytes;
    const body = await writeModels(bytes, principal, options.modelFilter, {
      routed,
      isAnthropic,
    });
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
      return sendWhole(
        outgoing,
        200,
        headers,
        JSON.stringify(routedModel(id, isAnthropicClient(c.env.incoming.headers))),
      );
    }
    const asked = { ...request, anthropic: anthropicIn(c) };
    const relayed = await options.pipeline.relayUnmetered(call, asked);
    return sendPassed(outgoing, context, relayed);
  };
}

/** Clients of both languages ask for models at one path. */
function anthropicIn({ env: { incoming } }: AppContext) {
  return isAnthropicClient(incoming.headers) ? anthropicHeaders(incoming.headers) : undefined;
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

/** Shows token holders their own rows of the ledger. */
function createReport(
  options: OpenAIOptions,
  report: (options: ReportOptions, principal: Principal) => Promise<unknown>,
) {
  return async function showReport(c: AppContext): Promise<Response> {
    const { principal } = await callOf(c, options);
    const body = JSON.stringify(await report(options, principal));
    return respond(200, body, openaiHeaders(c.env.context, JSON_TYPE));
  };
}
