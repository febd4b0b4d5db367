import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import { mostTokens } from "../../core/most-tokens.ts";
import type { RelayWish } from "../../core/pipeline.ts";
import { firstProblem } from "../edge/field-problem.ts";

/** One endpoint of OpenAI's API that is relayed. */
export interface Endpoint {
  /** Below /v1, and below the upstream's base path. */
  readonly path: string;
  /** Whether a stream of it has to be asked for its usage. */
  readonly asksForUsage: boolean;
}

export const chatEndpoint: Endpoint = { path: "/chat/completions", asksForUsage: true };

export const endpoints: readonly Endpoint[] = [
  chatEndpoint,
  { path: "/completions", asksForUsage: true },
  { path: "/responses", asksForUsage: false },
  { path: "/embeddings", asksForUsage: false },
  { path: "/moderations", asksForUsage: false },
];

/** What we have to understand of a body; all the rest passes through, known to us or not. */
const body = z.looseObject({
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(0).nullish(),
  max_completion_tokens: z.int().min(0).nullish(),
  max_output_tokens: z.int().min(0).nullish(),
});

/** Families that refuse `max_tokens` on chat. */
const NEWER_TOKEN_FIELD = /^(o[1-9]|gpt-[5-9])([.-]|$)/;

/** Throws the first mistake, naming the field. */
export function parseRelay(endpoint: Endpoint, json: unknown, bytes: number): RelayWish {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ProxyError("body_not_object");
  }
  const parsed = body.safeParse(json);
  if (!parsed.success) throw firstProblem(parsed.error, json);
  const fields = parsed.data;
  const streamed = fields.stream === true;
  const hideUsage =
    streamed && endpoint.asksForUsage && fields.stream_options?.include_usage !== true;
  const answerTokens =
    fields.max_completion_tokens ?? fields.max_output_tokens ?? fields.max_tokens ?? null;
  return {
    model: fields.model ?? "",
    mostTokens: mostTokens(bytes, answerTokens),
    request: {
      method: "POST",
      path: endpoint.path,
      body: JSON.stringify(adapted(endpoint, json, fields.model ?? "", hideUsage)),
      streamed,
      hideUsage,
    },
  };
}

/** The object the client sent, field for field, with what the upstream needs changed. */
function adapted(endpoint: Endpoint, json: object, model: string, askForUsage: boolean): object {
  let adapted: object = json;
  if (askForUsage) {
    const options: unknown = Reflect.get(json, "stream_options");
    const asked = { ...(options as object | null), include_usage: true }; // checked by the schema
    adapted = { ...adapted, stream_options: asked };
  }
  const renames =
    endpoint.path === "/chat/completions" &&
    "max_tokens" in json &&
    !("max_completion_tokens" in json) &&
    NEWER_TOKEN_FIELD.test(model);
  if (!renames) return adapted;
  const { max_tokens, ...rest } = adapted as { max_tokens?: unknown };
  return { ...rest, max_completion_tokens: max_tokens };
}
