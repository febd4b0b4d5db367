import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import type { CompletionCreateParams } from "openai/resources/completions";
import {
  type ChatMessage,
  type ChatRequest,
  textOf,
  wantsNewerTokenField,
} from "../core/call/messages.ts";
import { abortReason, ProxyError } from "../core/errors.ts";
import { type AskOptions, isUpload, type RelayRequest } from "../core/upstream-ports.ts";
import { wellFormedJson } from "../core/well-formed.ts";
import type { UpstreamResponse } from "./exchange.ts";
import { credentialHeaders } from "./kinds.ts";
import type { OpenAIUpstreamOptions } from "./openai.ts";
import { readRefusalText } from "./refusal-body.ts";

export type UpstreamRequest = Omit<RelayRequest, "hideUsage" | "usageOption">;

/**
 * Sends a request. A status outside 2xx becomes a ProxyError. The client of the openai package is not
 * used: even with its request building replaced it took 18 % of a call's CPU (promises, log details,
 * a URL for each call).
 */
export async function askUpstream(
  options: OpenAIUpstreamOptions,
  asked: UpstreamRequest,
  ask: AskOptions,
): Promise<UpstreamResponse> {
  const { transport, refusalOf } = options;
  const { method, path, body, streamed } = asked;
  const { key, signal, sent, room, notes } = ask;
  const isAnthropic = asked.anthropic !== undefined;
  const headers = headersOf(asked, ask, options);
  const maxBytes = asked.anyBytes === true ? Number.POSITIVE_INFINITY : options.maxAnswerBytes;
  const headMs = streamed ? options.firstTokenMs : options.answerMs;
  const request = {
    method,
    path,
    headers,
    body,
    signal,
    sent,
    headMs,
    maxBytes,
    streamed,
    isAnthropic,
    room,
    notes,
  };
  const response = await transport.send(request);
  if (response.status < 200 || response.status >= 300) {
    const { status, headers } = response;
    const text = await readRefusalText(response.body, headerOf(response, "content-encoding"));
    // a client that left while the refusal was read has left all the same
    throw signal.aborted
      ? abortReason(signal)
      : refusalOf({ status, headers, body: text }, { key });
  }
  if ((headerOf(response, "content-encoding") ?? "identity") === "identity") return response;
  // no compression was asked for, so a compressed response is refused, not unpacked
  void response.body.return?.();
  throw new ProxyError("upstream_bad_answer");
}

function headersOf(
  { body, anyBytes, anthropic, contentType = "application/json" }: UpstreamRequest,
  { key, account }: AskOptions,
  { kind, userAgent, ownHeaders }: OpenAIUpstreamOptions,
): Record<string, string> {
  const headers = credentialHeaders(kind, key);
  headers.accept = anyBytes ? "*/*" : "application/json, text/event-stream";
  headers["accept-encoding"] = "identity";
  // firewalls in front of services refuse requests without one
  headers["user-agent"] = userAgent;
  if (isUpload(body)) {
    headers["content-type"] = body.contentType;
    if (body.contentLength !== null) headers["content-length"] = String(body.contentLength);
  } else if (body !== null) headers["content-type"] = contentType;
  if (kind === "anthropic") return { ...headers, ...anthropic, ...ownHeaders };
  if (account?.organization) headers["openai-organization"] = account.organization;
  if (account?.project) headers["openai-project"] = account.project;
  return ownHeaders === null ? headers : { ...headers, ...ownHeaders };
}

/** The first value if the server sent several. `name` in lower case. */
export function headerOf({ headers }: UpstreamResponse, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** OpenAI's models that only know /completions; anything else chats. */
const COMPLETION_ONLY = /^(text-davinci-\d{3}|davinci-002|babbage-002|.*-instruct(-\d{4})?)$/;
export type TokenField = "max_tokens" | "max_completion_tokens";

/** OpenAI's own names are known by their pattern. An instruct model of another vendor chats. */
export function isCompletionOnly(model: string): boolean {
  return COMPLETION_ONLY.test(model) && !model.includes("/");
}

export function usualTokenField(model: string): TokenField {
  return wantsNewerTokenField(model) ? "max_completion_tokens" : "max_tokens";
}

export interface PrepareOptions {
  readonly tokenField: TokenField;
  readonly asksForUsage: boolean;
}

/** What OpenAI calls the fields of a question. */
type FieldName = keyof ChatCompletionCreateParams | keyof CompletionCreateParams;

/** Opaque parameters go first, so that no field of ours can be replaced; undefined takes one out. */
export function prepareRequest(
  { model, messages, maxTokens, parameters }: ChatRequest,
  streamed: boolean,
  { tokenField, asksForUsage }: PrepareOptions,
): UpstreamRequest {
  const chats = !isCompletionOnly(model);
  const own = {
    model,
    messages: chats ? messages : undefined,
    prompt: chats ? undefined : toPrompt(messages),
    max_tokens: undefined,
    max_completion_tokens: undefined,
    [chats ? tokenField : "max_tokens"]: maxTokens,
    stream: streamed || undefined,
    stream_options: streamed && asksForUsage ? { include_usage: true } : undefined,
  } satisfies Partial<Record<FieldName, unknown>>;
  const path = chats ? "/chat/completions" : "/completions";
  return { method: "POST", path, body: wellFormedJson({ ...parameters, ...own }), streamed };
}

/** A conversation as one text, for models that continue text instead of answering turns. */
function toPrompt(messages: readonly ChatMessage[]): string {
  const names = new Map([
    ["user", "User: "],
    ["assistant", "Assistant: "],
  ]);
  const only = messages.length === 1 ? messages[0] : undefined;
  if (only !== undefined) return textOf(only.content);
  const turns = messages.map(({ role, content }) => `${names.get(role) ?? ""}${textOf(content)}`);
  return `${turns.join("\n\n")}\n\nAssistant:`;
}
