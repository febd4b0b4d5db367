import { isCompleteUrl } from "../core/complete-url.ts";
import type { UpstreamSettings } from "../core/routing/routing.ts";
import { prepareRequest, type UpstreamRequest, usualTokenField } from "./ask.ts";
import { fieldOf, isObject, jsonIn } from "./reading/json.ts";
import { wordsIn } from "./refusal-words.ts";

/** For the list of models, or for one token of that model. Null: there is none that is free. */
export function probeRequest(
  { kind, url }: Pick<UpstreamSettings, "kind" | "url">,
  model: string | null,
): UpstreamRequest | null {
  const { pathname, search } = new URL(url);
  const isAnthropic = kind === "anthropic";
  const version = isAnthropic && !pathname.endsWith("/v1") ? "/v1" : "";
  if (model === null) {
    const isFree = kind !== "azure" && !isCompleteUrl(search);
    const path = `${version}/models`;
    return isFree ? { method: "GET", path, body: null, streamed: false } : null;
  }
  const messages = [{ role: "user", content: "." }] as const;
  if (isAnthropic) {
    const body = JSON.stringify({ model, max_tokens: 1, messages });
    return { method: "POST", path: `${version}/messages`, body, streamed: false };
  }
  const tokenField = usualTokenField(model);
  const question = { model, messages, maxTokens: 1 };
  return prepareRequest(question, false, { tokenField, asksForUsage: false });
}

/** An answer of 200 may be an error, or a page. */
export function readProbed(bytes: Buffer, method: UpstreamRequest["method"]) {
  const body = jsonIn(String(bytes));
  if (fieldOf(body, "error") != null) {
    return { models: null, reason: wordsIn(body) ?? "the answer is an error" };
  }
  const list = Array.isArray(body) ? body : fieldOf(body, "data");
  if (method === "GET" && Array.isArray(list)) return { models: list.length, reason: null };
  const isAnswer = method === "POST" && isObject(body);
  return { models: null, reason: isAnswer ? null : NO_ANSWER[method] };
}

const NO_ANSWER: Readonly<Record<UpstreamRequest["method"], string>> = {
  GET: "the answer is no list of models",
  POST: "the answer is no JSON",
  DELETE: "",
};
