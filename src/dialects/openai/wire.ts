import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import { mostTokens } from "../../core/most-tokens.ts";
import type { RelayWish } from "../../core/pipeline.ts";
import { wantsNewerTokenField } from "../../core/token-field.ts";
import { firstProblem } from "../edge/field-problem.ts";
import { withExactNumbers } from "./exact-numbers.ts";

/** One endpoint of OpenAI's API that is relayed. */
export interface Endpoint {
  /** Below /v1, and below the upstream's base path. */
  readonly path: string;
  /** Whether a stream of it has to be asked for its usage. */
  readonly asksForUsage: boolean;
  /** Whether the model writes, so that the answer costs tokens too. */
  readonly writes: boolean;
}

export const chatEndpoint: Endpoint = {
  path: "/chat/completions",
  asksForUsage: true,
  writes: true,
};

export const endpoints: readonly Endpoint[] = [
  chatEndpoint,
  { path: "/completions", asksForUsage: true, writes: true },
  { path: "/responses", asksForUsage: false, writes: true },
  { path: "/embeddings", asksForUsage: false, writes: false },
  { path: "/moderations", asksForUsage: false, writes: false },
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

/** More than any call can come to; keeps what is reserved, money too, inside 64 bits. */
const MOST_RESERVED = 1_000_000_000;

/** Throws the first mistake, naming the field. */
export function parseRelay(endpoint: Endpoint, json: unknown, bytes: Buffer): RelayWish {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ProxyError("body_not_object");
  }
  const parsed = body.safeParse(json);
  if (!parsed.success) throw firstProblem(parsed.error, json);
  const fields = parsed.data;
  const streamed = fields.stream === true;
  const hideUsage =
    streamed && endpoint.asksForUsage && fields.stream_options?.include_usage !== true;
  return {
    model: fields.model ?? "",
    mostTokens: endpoint.writes ? mostWritten(fields, bytes.length) : mostTokens(bytes.length, 0),
    request: {
      method: "POST",
      path: endpoint.path,
      body: JSON.stringify(
        adapted(endpoint, withExactNumbers(json, bytes), fields.model ?? "", hideUsage),
      ),
      streamed,
      hideUsage,
    },
  };
}

/** An answer's bound holds for each of the answers that are asked for, to each of the prompts. */
function mostWritten(fields: z.output<typeof body>, bytes: number): number {
  const bound = fields.max_completion_tokens ?? fields.max_output_tokens ?? fields.max_tokens;
  const prompts = Array.isArray(fields.prompt)
    ? fields.prompt.filter((one) => typeof one !== "number").length
    : 1;
  const answers = Math.max(1, prompts) * Math.max(countOf(fields.n), countOf(fields.best_of));
  const others = (answers - 1) * mostTokens(0, bound ?? null);
  return Math.min(mostTokens(bytes, bound ?? null) + others, MOST_RESERVED);
}

/** How many answers; anything else than a number is the upstream's to refuse. */
function countOf(value: unknown): number {
  return typeof value === "number" && value > 1 ? Math.ceil(value) : 1;
}

/** The object the client sent, field for field, with what the upstream needs changed. */
function adapted(endpoint: Endpoint, json: object, model: string, askForUsage: boolean): object {
  // a field of other dialects: on its way upstream it would hand a credential on
  const { api_key: _credential, ...own } = json as { api_key?: unknown };
  let adapted: object = "api_key" in json ? own : json;
  if (askForUsage) {
    const options: unknown = Reflect.get(json, "stream_options");
    const asked = { ...(options as object | null), include_usage: true }; // checked by the schema
    adapted = { ...adapted, stream_options: asked };
  }
  const renames =
    endpoint.path === "/chat/completions" &&
    "max_tokens" in json &&
    !("max_completion_tokens" in json) &&
    wantsNewerTokenField(model);
  if (!renames) return adapted;
  const { max_tokens, ...rest } = adapted as { max_tokens?: unknown };
  return { ...rest, max_completion_tokens: max_tokens };
}
