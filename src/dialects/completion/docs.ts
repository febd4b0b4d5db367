import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { upstreamCompletion } from "./answer.ts";
import { describedBody } from "./wire.ts";

const added = { text: z.string(), status: z.literal("ok") };

const shared: RouteDoc = {
  summary: "Completes a prompt or a list of messages",
  body: describedBody,
  answer: upstreamCompletion.extend(added),
  answerExample: {
    id: "chatcmpl-123",
    object: "chat.completion",
    choices: [
      { index: 0, message: { role: "assistant", content: "Hello!" }, finish_reason: "stop" },
    ],
    text: "Hello!",
    status: "ok",
  },
  event: z.looseObject({
    choices: z.array(z.looseObject({ delta: z.looseObject({}) })),
    ...added,
  }),
  credential: "optional",
  fails: ["access_token_rejected"],
  headers: {
    "access-token":
      "The secret that the operator has set (ACCESS_TOKEN), or a token of this server",
    "openai-token": "The caller's own OpenAI API key",
  },
};

export function completeDoc(model: string): RouteDoc {
  return { ...shared, example: { prompt: "Say hello.", generate_params: { model_name: model } } };
}

export const helpDoc: RouteDoc = {
  summary: "Explains how to call it",
  answerType: "text/html",
  credential: "none",
};
