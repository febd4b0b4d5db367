import { APIError } from "openai/core/error";
import { abortReason, ProxyError } from "../core/errors.ts";
import type { AskOptions, RelayRequest } from "../core/ports.ts";
import { isObject, jsonIn } from "./answers.ts";
import { fromApiError } from "./errors.ts";
import type { UpstreamResponse } from "./exchange.ts";
import type { OpenAIUpstreamOptions } from "./openai.ts";

export type UpstreamRequest = Omit<RelayRequest, "hideUsage">;

/**
 * Sends a request. A status outside 2xx becomes an APIError of the openai package and from that a
 * ProxyError. The package's client is not used: even with its request building replaced it took
 * 18 % of a call's CPU (promises, log details, a URL for each call).
 */
export async function askUpstream(
  { transport, answerMs, firstTokenMs, maxAnswerBytes }: OpenAIUpstreamOptions,
  { method, path, body, streamed }: UpstreamRequest,
  { key, signal }: AskOptions,
): Promise<UpstreamResponse> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${key}`,
    accept: "application/json, text/event-stream",
    "accept-encoding": "identity",
  };
  if (body !== null) headers["content-type"] = "application/json";
  const headMs = streamed ? firstTokenMs : answerMs;
  const maxBytes = maxAnswerBytes;
  const request = { method, path, headers, body, signal, headMs, maxBytes };
  const response = await transport.send(request);
  if (response.status < 200 || response.status >= 300) {
    const error = await readRefusal(response, key);
    // a client that left while the refusal was read has left all the same
    throw signal.aborted ? abortReason(signal) : error;
  }
  if ((headerOf(response, "content-encoding") ?? "identity") === "identity") return response;
  // no compression was asked for, so a compressed response is refused, not unpacked
  void response.body.return?.();
  throw new ProxyError("upstream_bad_answer");
}

/** The first value if the server sent several. `name` in lower case. */
export function headerOf({ headers }: UpstreamResponse, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

async function readRefusal(response: UpstreamResponse, key: string): Promise<ProxyError> {
  // the status is enough: a refusal whose text breaks is still that refusal
  const json = jsonIn(await response.body.whole().then(String, () => ""));
  const body = isObject(json) ? json : undefined;
  const headers = { get: (name: string) => headerOf(response, name.toLowerCase()) };
  // the package and fromApiError only call get()
  const asHeaders = headers as unknown as Headers;
  return fromApiError(APIError.generate(response.status, body, undefined, asHeaders), key);
}
