import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { type EnvelopeLimits, envelopeBody, historyMessage, MAX_HISTORY } from "./wire.ts";

const answer = z.object({
  code: z.literal(200),
  msg: z.string(),
  data: z.object({
    response: z.string(),
    model: z.string(),
    usage: z
      .object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() })
      .nullable(),
    finish_reason: z.string().nullable(),
    continuous: z.array(historyMessage).describe("The history to send with the next question"),
  }),
  current_response: z.string().optional().meta({
    deprecated: true,
    description: "Same as `data.response`; only if the question used an old name",
  }),
  result: z.array(historyMessage).optional().meta({
    deprecated: true,
    description: "Same as `data.continuous`; only if the question used an old name",
  }),
});

const done = z.literal(true);
const event = z.union([
  z.object({ code: z.literal(200), msg: z.string(), data: z.object({ delta: z.string() }) }),
  answer.extend({ data: answer.shape.data.extend({ done }), done }),
]);

const QUESTION = "Say hello.";
const ANSWER = "Hello!";

/** `POST /{ROUTE}` in /openapi.json. `sharedKey`: callers without a key or token may ask. */
export function envelopeDoc(limits: EnvelopeLimits, sharedKey: boolean): RouteDoc {
  const { model } = limits;
  return {
    summary: "Asks a question",
    body: describedBody(limits),
    example: { user_content: QUESTION, model, ...(!sharedKey && { api_key: "YOUR_KEY" }) },
    answer,
    answerExample: {
      code: 200,
      msg: "success",
      data: {
        response: ANSWER,
        model,
        usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
        finish_reason: "stop",
        continuous: [
          { role: "user", content: QUESTION },
          { role: "assistant", content: ANSWER },
        ],
      },
    },
    event,
    credential: "optional",
  };
}

/** The schema that the route uses, with the bounds that it checks afterwards. */
function describedBody({ model, allowedModels, maxTokens, maxTokensLimit }: EnvelopeLimits) {
  const { shape } = envelopeBody;
  // the route counts the messages before it reads any, which OpenAPI can't express
  const history = z.array(historyMessage).max(MAX_HISTORY).nullish();
  const choices = allowedModels.length === 0 ? "" : ` One of: ${allowedModels.join(", ")}.`;
  const bound = z.int().min(1).max(maxTokensLimit).nullish();
  return envelopeBody.extend({
    sys_content: shape.sys_content.describe("The system prompt"),
    system_content: old(shape.system_content, "sys_content"),
    user_content: shape.user_content.describe("The question"),
    model: shape.model.describe(`${model} by default.${choices}`),
    api_key: shape.api_key.describe("The caller's own OpenAI key, or a token"),
    max_tokens: bound.describe(`Most tokens of the answer; ${maxTokens} by default`),
    continuous: history.describe("The history, from `data.continuous` of the last answer"),
    continuous_dialogue: old(history, "continuous"),
    stream: shape.stream.describe("Sends the answer as server-sent events"),
  });
}

function old<T extends z.ZodType>(schema: T, name: string): T {
  return schema.meta({ deprecated: true, description: `The old name of \`${name}\`` });
}
