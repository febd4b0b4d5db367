import type { ServerResponse } from "node:http";
import type { Ledger } from "../../core/accounts/accounts.ts";
import type { Call, Principal } from "../../core/call/call.ts";
import type { Pipeline } from "../../core/call/pipeline.ts";
import { ProxyError } from "../../core/errors.ts";
import type { RelayAnswer } from "../../core/ports.ts";
import { expectedBytes, parseJson, readBody } from "../../http/body/body.ts";
import { openHttpCall } from "../../http/call/begin-call.ts";
import type { Identify } from "../../http/call/credentials.ts";
import type { Idempotent } from "../../http/call/idempotency.ts";
import type { OpenCalls } from "../../http/call/open-calls.ts";
import type { AppContext, RequestContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc, WriteError } from "../../http/dialect.ts";
import {
  answer,
  type ResponseHeaders,
  responseHeaders,
  retryHeaders,
} from "../../http/reply/response-headers.ts";
import { sendWhole } from "../../http/reply/send-whole.ts";
import { collect } from "../../http/reply/whole-answer.ts";
import type { Translate } from "../../locales.ts";
import { modelsDoc, relayDoc, usageDoc, weekDoc } from "./docs.ts";
import { errorBody, openaiErrors, statusOf } from "./errors.ts";
import { addRequestLimits } from "./limit-headers.ts";
import { type ModelFilter, writeModels } from "./models.ts";
import { passStream } from "./pass-bytes.ts";
import { usageOf, weekOf } from "./usage.ts";
import { chatEndpoint, type Endpoint, endpoints, parseRelay } from "./wire.ts";

export interface OpenAIOptions {
  readonly maxBodyBytes: number;
  readonly pipeline: Pipeline;
  readonly identify: Identify;
  readonly openCalls: OpenCalls;
  readonly idempotent: Idempotent;
  readonly modelFilter: ModelFilter;
  readonly ledger: Ledger;
  readonly translate: Translate;
}

const JSON_TYPE = "application/json";
const NAME = "openai";

/** OpenAI's own API under /v1, and `POST /chat` of the token agent, which is the same. */
export function createOpenAI(options: OpenAIOptions): Dialect {
  const { maxBodyBytes, pipeline, idempotent } = options;
  const writeError = createOpenAIErrors(options.translate);

  const relay = (endpoint: Endpoint, anyType: boolean) => async (c: AppContext) => {
    const { incoming, outgoing, context } = c.env;
    const call = await callOf(c, options);
    options.openCalls.hold(outgoing, expectedBytes(incoming, maxBodyBytes));
    const bytes = await readBody(incoming, maxBodyBytes, anyType);
    const wish = parseRelay(endpoint, parseJson(bytes), bytes);
    if (wish.request.streamed) {
      return answerStream(outgoing, context, await pipeline.relay(call, wish), options.translate);
    }
    const key = incoming.headers["idempotency-key"];
    const ask = () => pipeline.relay(call, wish).then(collect);
    const whole = await (typeof key === "string" && key !== ""
      ? idempotent(call.principal, key, wish.request, ask)
      : ask());
    return sendWhole(outgoing, whole.status, headersOf(context, whole.contentType), whole.bytes);
  };

  const models = async (c: AppContext) => {
    const call = await callOf(c, options);
    const request = {
      method: "GET",
      path: "/models",
      body: null,
      streamed: false,
      hideUsage: false,
    } as const;
    const whole = await collect(await pipeline.relayUnmetered(call, request));
    const body = await writeModels(whole.bytes, call.principal, options.modelFilter);
    return answer(whole.status, body, headersOf(c.env.context, JSON_TYPE));
  };

  const post = (path: string, endpoint: Endpoint, anyType = false): Route => ({
    method: "POST",
    path,
    counted: true,
    doc: relayDoc(endpoint),
    handle: relay(endpoint, anyType),
  });
  return {
    name: NAME,
    about: "OpenAI's own API: bodies and answers pass through as they are, known to us or not",
    prefix: "/v1",
    errors: openaiErrors,
    writeError,
    routes: [
      ...endpoints.map((endpoint) => post(`/v1${endpoint.path}`, endpoint)),
      post("/chat", chatEndpoint, true),
      get("/v1/models", modelsDoc, models),
      get("/usage", usageDoc, own(options, usageOf)),
      get("/data/week", weekDoc, own(options, weekOf)),
    ],
  };
}

function get(path: string, doc: RouteDoc, handle: Route["handle"]): Route {
  return { method: "GET", path, counted: true, doc, handle };
}

/** A route that shows a token holder what is theirs. */
function own(
  options: OpenAIOptions,
  show: (ledger: Ledger, principal: Principal) => Promise<unknown>,
): Route["handle"] {
  return async function showOwn(c) {
    const { principal } = await callOf(c, options);
    const shown = JSON.stringify(await show(options.ledger, principal));
    return answer(200, shown, headersOf(c.env.context, JSON_TYPE));
  };
}

/** The operator's key is open to visitors in the older dialects only: here clients authenticate. */
async function callOf(c: AppContext, { identify, openCalls }: OpenAIOptions): Promise<Call> {
  const open = openHttpCall(c, NAME, openCalls);
  const principal = await identify(c.env.context.client, c.env.incoming.headers, null);
  if (principal.kind === "visitor") throw new ProxyError("credential_missing");
  return open(principal);
}

/** The errors of everything under /v1, known path or not. */
export function createOpenAIErrors(translate: Translate): WriteError {
  return (c, error) => {
    const headers = headersOf(c.env.context, JSON_TYPE);
    if (error.retryAfterMs !== undefined) Object.assign(headers, retryHeaders(error.retryAfterMs));
    if (error.code === "method_not_allowed") headers.allow = String(error.details.allow);
    return answer(statusOf(error), describe(translate, c.env.context, error), headers);
  };
}

/** By itself, so that an open stream keeps nothing of its question alive. */
function answerStream(
  outgoing: ServerResponse,
  context: RequestContext,
  answered: RelayAnswer,
  translate: Translate,
): Response {
  const headers = headersOf(context, answered.contentType);
  return passStream(outgoing, answered, headers, (error) => describe(translate, context, error));
}

function describe(
  translate: Translate,
  { language, requestId }: RequestContext,
  error: ProxyError,
): string {
  return errorBody(
    error,
    translate(language, `error.${error.code}`, { ...error.params, requestId }),
  );
}

function headersOf(context: RequestContext, contentType: string): ResponseHeaders {
  const headers = responseHeaders(context, contentType);
  addRequestLimits(headers, context.limits);
  return headers;
}
