import { z } from "zod";
import type { ModelRules } from "../../http/body/model-choice.ts";
import type { RouteDoc } from "../../http/dialect.ts";
import { countBody, messagesBody } from "./wire.ts";

interface Examples {
  readonly model: string;
  readonly rules: Pick<ModelRules, "maxTokensPassedOn">;
}

const messages = [{ role: "user", content: "Say hello." }];
const TRANSLATED =
  "A service of another kind gets the request translated; what it has nothing like is named in x-parley-dropped.";
const HEADERS = {
  "x-api-key": "An API key or a Parley token, as in Authorization",
  "anthropic-version": "Sent on to services of Anthropic's kind",
  "anthropic-beta": "Sent on to services of Anthropic's kind",
};

/** In the example, where the operator allows as many. */
const ANSWER_TOKENS = 100;

export function messagesDoc({ model, rules }: Examples): RouteDoc {
  const max_tokens = Math.min(ANSWER_TOKENS, rules.maxTokensPassedOn ?? ANSWER_TOKENS);
  return {
    summary: "Anthropic's Messages API",
    description: `The body is Anthropic's own. ${TRANSLATED}`,
    body: messagesBody,
    example: { model, max_tokens, messages },
    answer: z.looseObject({ type: z.string(), role: z.string(), content: z.array(z.unknown()) }),
    answerExample: {
      id: "msg_123",
      type: "message",
      role: "assistant",
      model,
      content: [{ type: "text", text: "Hello!" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 10, output_tokens: 2 },
    },
    event: z.looseObject({ type: z.string() }).describe("Anthropic's own event"),
    fails: ["idempotency_mismatch", "idempotency_in_progress", "idempotency_lost"],
    headers: {
      ...HEADERS,
      "Idempotency-Key":
        "For ten minutes, the same key with the same body returns the same answer without a second call. Not for streams.",
    },
  };
}

export function countDoc(model: string): RouteDoc {
  return {
    summary: "How many tokens a request to the Messages API has",
    description:
      "Not billed. For services of another kind it is an estimate, marked by x-parley-estimated.",
    body: countBody,
    example: { model, messages },
    answer: z.looseObject({ input_tokens: z.int() }),
    answerExample: { input_tokens: 10 },
    fails: ["model_not_found"],
    headers: HEADERS,
  };
}
