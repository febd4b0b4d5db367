import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { type EnvelopeLimits, envelopeBody, MAX_TURNS, turn } from "./wire.ts";

const answer = z.object({
  code: z.literal(200),
  msg: z.string(),
  data: z.object({
    response: z.string(),
    model: z.string(),
    usage: z
      .object({
        prompt_tokens: z.int(),
        completion_tokens: z.int(),
        total_tokens: z.int(),
      })
      .nullable(),
    finish_reason: z.string().nullable(),
    continuous: z.array(turn).describe("The history to send back as `continuous` next time"),
  }),
  current_response: z.string().optional().meta({
    deprecated: true,
    description: "As `data.response`; only where the question used an old name",
  }),
  result: z.array(turn).optional().meta({
    deprecated: true,
    description: "As `data.continuous`; only where the question used an old name",
  }),
});

const event = z.union([
  z.object({
    code: z.literal(200),
    msg: z.string(),
    data: z.object({ delta: z.string() }),
  }),
  answer.extend({
    data: answer.shape.data.extend({ done: z.literal(true) }),
    done: z.literal(true),
  }),
]);

/** What /openapi.json says of the one route. */
export function askDoc(limits: EnvelopeLimits): RouteDoc {
  return {
    summary: "Asks a question",
    body: describedBody(limits),
    answer,
    event,
    credential: "optional",
  };
}

/** What the route validates with, and what it checks after that: bounds that settings hold. */
function describedBody({ model, allowedModels, maxTokens, maxTokensLimit }: EnvelopeLimits) {
  const { shape } = envelopeBody;
  // the route counts the turns before it looks at any, which a schema can't say
  const history = z.array(turn).max(MAX_TURNS).nullish();
  const choices = allowedModels.length === 0 ? "" : ` One of: ${allowedModels.join(", ")}.`;
  const bound = z.int().min(1).max(maxTokensLimit).nullish();
  return envelopeBody.extend({
    sys_content: shape.sys_content.describe("The system prompt"),
    system_content: old(shape.system_content, "sys_content"),
    user_content: shape.user_content.describe("The question"),
    model: shape.model.describe(`${model} where it is left out.${choices}`),
    api_key: shape.api_key.describe("The caller's own OpenAI key, or a token"),
    max_tokens: bound.describe(`Of the answer; ${maxTokens} where it is left out`),
    continuous: history.describe("What was said before, as `data.continuous` gave it"),
    continuous_dialogue: old(history, "continuous"),
    stream: shape.stream.describe("Sends the answer as server-sent events"),
  });
}

function old<T extends z.ZodType>(schema: T, name: string): T {
  return schema.meta({ deprecated: true, description: `The old name of \`${name}\`` });
}
