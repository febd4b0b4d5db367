import { z } from "zod";
import type { ChatMessage, ChatRequest, Completion } from "../../core/call/messages.ts";
import { chosenModel, chosenTokens, type ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";

/** A history longer than any model's window; checked before its entries are. */
export const MAX_TURNS = 4_096;

export interface EnvelopeLimits extends ModelRules {
  /** When a question does not say. */
  readonly maxTokens: number;
}

/** A question as the envelope's clients put it, both generations of field names read. */
export interface EnvelopeQuestion {
  readonly request: ChatRequest;
  readonly apiKey: string | null;
  readonly stream: boolean;
  /** The client used a name of the first generation and reads the answer's old fields too. */
  readonly legacy: boolean;
}

export const turn = z.object({
  role: z.enum(["system", "user", "assistant"]),
  content: z.string(),
});
const history = z.array(z.unknown()).max(MAX_TURNS).pipe(z.array(turn));

export const envelopeBody = z.object({
  sys_content: z.string().nullish(),
  system_content: z.string().nullish(),
  user_content: z.string().min(1),
  model: z.string().nullish(),
  api_key: z.string().nullish(),
  max_tokens: z.int().nullish(),
  continuous: history.nullish(),
  continuous_dialogue: history.nullish(),
  stream: z.boolean().nullish(),
});

/** Throws the first mistake, naming the field. Unknown fields are passed over. */
export function parseQuestion(json: unknown, limits: EnvelopeLimits): EnvelopeQuestion {
  const fields = parsed(envelopeBody, json);
  const system = fields.sys_content || fields.system_content || null;
  const turns = fields.continuous?.length ? fields.continuous : (fields.continuous_dialogue ?? []);
  const request = {
    model: chosenModel(fields.model, limits),
    messages: toMessages(system, turns, fields.user_content),
    maxTokens: chosenTokens(fields.max_tokens ?? limits.maxTokens, limits),
  };
  return {
    request,
    apiKey: fields.api_key || null,
    stream: fields.stream ?? false,
    legacy: "system_content" in fields || "continuous_dialogue" in fields,
  };
}

/** The system prompt, unless the history brings the same one; the history; the question. */
function toMessages(system: string | null, turns: ChatMessage[], question: string): ChatMessage[] {
  const [first] = turns;
  const hasIt = first?.role === "system" && first.content === system;
  const opening = system === null || hasIt ? [] : [{ role: "system", content: system }];
  return [...opening, ...turns, { role: "user", content: question }];
}

/** The body of a good answer; `data.continuous` is the history to send back next time. */
export function writeAnswer(message: string, question: EnvelopeQuestion, completion: Completion) {
  const { text, usage } = completion;
  const continuous = [...question.request.messages, { role: "assistant", content: text }];
  const data = {
    response: text,
    model: completion.model || question.request.model,
    usage: usage && {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      total_tokens: usage.totalTokens,
    },
    finish_reason: completion.finishReason,
    continuous,
  };
  const old = question.legacy ? { current_response: text, result: continuous } : {};
  return { code: 200, msg: message, data, ...old };
}
