import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import type { Endpoint } from "./endpoints.ts";
import { stateSchemas } from "./token-state.ts";

/** What the best-known endpoints answer. */
const answers: Readonly<Record<string, (model: string) => object>> = {
  "/chat/completions": (model) => ({
    id: "chatcmpl-123",
    object: "chat.completion",
    created: 1_800_000_000,
    model,
    choices: [
      { index: 0, message: { role: "assistant", content: "Hello!" }, finish_reason: "stop" },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
  }),
  "/responses": (model) => ({
    id: "resp_123",
    object: "response",
    status: "completed",
    model,
    output: [
      {
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text: "Hello!", annotations: [] }],
      },
    ],
    usage: { input_tokens: 10, output_tokens: 2, total_tokens: 12 },
  }),
};

/** A relayed endpoint in /openapi.json. */
export function relayDoc({ path, body, example, bounds }: Endpoint, model: string): RouteDoc {
  const doc: RouteDoc = {
    summary: `OpenAI's ${path}`,
    description:
      "The body is OpenAI's own. Parley reads the fields shown here and passes all others on, and the answer too.",
    body,
    example: example(model),
    answer: z.looseObject({}).describe("OpenAI's own answer, unchanged"),
    answerExample: answers[path]?.(model),
    fails: ["idempotency_mismatch", "idempotency_in_progress", "idempotency_lost"],
    headers: {
      "Idempotency-Key":
        "For ten minutes, the same key with the same body returns the same answer without a second call. Not for streams.",
    },
  };
  if (bounds === null) return doc;
  return { ...doc, event: z.looseObject({}).describe("OpenAI's own event, unchanged") };
}

export const modelsDoc: RouteDoc = {
  summary: "The models that the caller may use",
  asks: true,
  answer: z.looseObject({
    object: z.string().optional(),
    data: z.array(z.looseObject({ id: z.string() })),
  }),
  answerExample: { object: "list", data: [{ id: "gpt-4o-mini", object: "model" }] },
};

export const modelDoc: RouteDoc = {
  summary: "One model that the caller may use",
  description: "Slashes in its id may be percent-encoded or not.",
  asks: true,
  params: { model: z.string().meta({ example: "gpt-4o-mini" }) },
  answer: z.looseObject({ id: z.string(), object: z.string().optional() }),
  fails: ["model_not_found"],
};

const counts = {
  requests: z.int(),
  prompt_tokens: z.int(),
  cached_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  cost: z.string().nullable().describe("US dollars, an exact decimal; null: unknown"),
  calls_of_unknown_cost: z.int(),
};

export const usageDoc: RouteDoc = {
  summary: "What the token has left, what it spent by day and by model, and its latest calls",
  answer: z.object({
    token: z.object({
      name: z.string(),
      state: z.literal("active"),
      expires_at: z.iso.datetime().nullable(),
    }),
    ...stateSchemas,
    by_day: z.array(z.object({ day: z.string(), ...counts })),
    by_model: z.array(z.object({ model: z.string(), ...counts })),
    last_30_days: z.array(z.object({ model: z.string(), ...counts })).describe("By model"),
    last: z
      .array(
        z.object({
          at: z.iso.datetime(),
          model: z.string(),
          tokens: z.int().nullable(),
          cost: z.string().nullable(),
          outcome: z.string(),
        }),
      )
      .describe("The newest calls in brief"),
    calls: z.array(
      z.object({
        request_id: z.string(),
        time: z.iso.datetime(),
        dialect: z.string(),
        model: z.string(),
        answered_by: z.string().nullable(),
        prompt_tokens: z.int().nullable(),
        cached_tokens: z.int().nullable(),
        completion_tokens: z.int().nullable(),
        total_tokens: z.int().nullable(),
        price: z.string().nullable().describe("Dollars per million: input,cached input,output"),
        cost: z.string().nullable(),
        provenance: z.string(),
        outcome: z.string(),
        error: z.string().nullable(),
      }),
    ),
  }),
};

export const weekDoc: RouteDoc = {
  summary: "The token's calls of the last seven days",
  answer: z.array(
    z.object({
      remote_id: z.string().nullable(),
      model: z.string(),
      total_token: z.int(),
      price: z.number().nullable().describe("US dollars"),
      timestamp: z.int().describe("Seconds since 1970"),
    }),
  ),
};
