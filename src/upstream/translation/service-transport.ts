import type { AnswerHold } from "../../core/call/answer-room.ts";
import { ProxyError } from "../../core/errors.ts";
import type { UpstreamKind } from "../../core/routing/routing.ts";
import { type CallNotes, isUpload, type RelayRequest } from "../../core/upstream-ports.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import type { UpstreamResponse } from "../exchange.ts";
import { baseUrlOf } from "../kinds.ts";
import {
  createTransport,
  type OutboundRequest,
  type Transport,
  type TransportOptions,
} from "../transport.ts";
import { answersToChat, answersToMessages, modelsToChat, modelsToMessages } from "./answers.ts";
import { toChatRequest } from "./chat-request.ts";
import { estimatedTokens } from "./count-tokens.ts";
import { Dropped } from "./dropped.ts";
import { fieldsOf, type JsonFields } from "./fields.ts";
import { localResponse } from "./local-body.ts";
import { toMessagesRequest } from "./messages-request.ts";
import { exactlyIn } from "./object-in.ts";
import { type AnswerTranslation, TranslatedBody } from "./translated-body.ts";

/** A request, and what its translation needs to know. */
export interface ServiceRequest extends OutboundRequest {
  /** It is in Anthropic's language, and its answer must be; else in OpenAI's. */
  readonly isAnthropic: boolean;
  readonly streamed: boolean;
  readonly room: AnswerHold;
  readonly notes: CallNotes | undefined;
}

/** A transport that may understand both languages. One that doesn't passes bytes. */
export interface ServiceTransport extends Pick<Transport, "close"> {
  send(request: ServiceRequest): Promise<UpstreamResponse>;
}

export interface ServiceTransportOptions extends TransportOptions {
  readonly kind: UpstreamKind;
  /** The bound of an answer where Anthropic must have one, and the request has none. */
  readonly usualTokens: number;
  readonly maxEventBytes: number;
  /** Left out: as long as most proxies wait at least. */
  readonly silenceMs?: number;
}

/** Proxies close a silent connection after 60 (nginx) or 100 s (Cloudflare). */
const SILENCE_MS = 15_000;
const MESSAGES = "/messages";
const COUNT_TOKENS = "/messages/count_tokens";
const CHAT_COMPLETIONS = "/chat/completions";
const MODELS = "/models";
/** Anthropic lists 20 models unless it is asked for more. */
const ALL_MODELS = "/models?limit=1000";

/**
 * The way out to a service of any kind. Where the service speaks the language of the request, bytes
 * pass; else the request is translated on its way there, and the answer on its way back.
 */
export function createServiceTransport(options: ServiceTransportOptions): ServiceTransport {
  const baseUrl = baseUrlOf(options.kind, options.baseUrl);
  const transport = createTransport({ ...options, baseUrl });
  const isAnthropic = options.kind === "anthropic";
  const translate = isAnthropic ? askMessages(transport, options) : askChat(transport, options);
  return {
    send(request) {
      const { notes } = request;
      if (notes !== undefined && notes.translated !== null) notes.translated = null;
      if (request.isAnthropic !== isAnthropic) return translate(request);
      return transport.send(isAnthropic ? withAllModels(request) : request);
    },
    close: () => transport.close(),
  };
}

/** Asks a service of OpenAI's kind what is asked in Anthropic's language. */
function askChat(transport: Transport, options: ServiceTransportOptions) {
  return async (request: ServiceRequest): Promise<UpstreamResponse> => {
    if (isModels(request.path)) {
      return translated(await transport.send(request), modelsToMessages, request, options);
    }
    const [path = "", query = ""] = request.path.split("?", 2);
    const dropped = new Dropped();
    for (const name of new URLSearchParams(query).keys()) dropped.add(`?${name}`);
    const body = bodyOf(request.body);
    if (path === COUNT_TOKENS) {
      note(request, dropped, true);
      return localResponse({ input_tokens: estimatedTokens(body) });
    }
    if (path !== MESSAGES) throw new ProxyError("endpoint_not_available");
    const chat = toChatRequest(body, dropped);
    const sent = withBody({ ...request, path: CHAT_COMPLETIONS }, chat);
    note(request, dropped);
    return translated(await transport.send(sent), answersToMessages, request, options);
  };
}

/** Asks a service of Anthropic's kind what is asked in OpenAI's language. */
function askMessages(transport: Transport, options: ServiceTransportOptions) {
  const { clock, usualTokens } = options;
  return async (request: ServiceRequest): Promise<UpstreamResponse> => {
    const { path } = request;
    if (isModels(path)) {
      const response = await transport.send(withAllModels(request));
      return translated(response, modelsToChat, request, options);
    }
    if (path !== CHAT_COMPLETIONS) throw new ProxyError("endpoint_not_available");
    const dropped = new Dropped();
    const body = bodyOf(request.body);
    const sent = withBody(
      { ...request, path: MESSAGES },
      toMessagesRequest(body, usualTokens, dropped),
    );
    note(request, dropped);
    const withUsage = fieldsOf(body.stream_options).include_usage === true;
    const seconds = Math.floor(clock.wallMs() / 1_000);
    const answers = answersToChat(seconds, withUsage);
    return translated(await transport.send(sent), answers, request, options);
  };
}

function withAllModels(request: ServiceRequest): ServiceRequest {
  return request.path === MODELS ? { ...request, path: ALL_MODELS } : request;
}

function isModels(path: string): boolean {
  return path === MODELS || path.startsWith(`${MODELS}/`);
}

function bodyOf(body: RelayRequest["body"]): JsonFields {
  if (body === null || isUpload(body)) throw new ProxyError("endpoint_not_available");
  const text = typeof body === "string" ? body : Buffer.from(body).toString();
  return fieldsOf(exactlyIn(text));
}

function withBody(request: ServiceRequest, body: JsonFields): ServiceRequest {
  return { ...request, body: wellFormedJson(body) };
}

function note({ notes }: ServiceRequest, dropped: Dropped, isEstimated = false): void {
  if (notes !== undefined) notes.translated = { dropped: dropped.names, isEstimated };
}

function translated(
  response: UpstreamResponse,
  translation: AnswerTranslation,
  { streamed, room }: ServiceRequest,
  { maxEventBytes, silenceMs = SILENCE_MS }: ServiceTransportOptions,
): UpstreamResponse {
  const { status } = response;
  // a refusal is read in any form
  if (status < 200 || status >= 300) return response;
  const { "content-length": _changed, ...headers } = response.headers;
  const options = { translation, streamed, room, maxEventBytes, silenceMs };
  return { status, headers, body: new TranslatedBody(response, options) };
}
