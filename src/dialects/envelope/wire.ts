import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import type { ChatMessage, ChatRequest, Completion } from "../../core/messages.ts";
import { firstProblem } from "../edge/field-problem.ts";

/** A history longer than any model's window; checked before its entries are. */
const MAX_TURNS = 4_096;

export interface EnvelopeLimits {
  readonly model: string;
  /** Empty: any model may be asked for. */
  readonly allowedModels: readonly string[];
  readonly maxTokens: number;
  readonly maxTokensLimit: number;
}

/** A question as the envelope's clients put it, both generations of field names read. */
export interface EnvelopeQuestion {
  readonly request: ChatRequest;
  readonly apiKey: string | null;
  readonly stream: boolean;
  /** The client used a name of the first generation and reads the answer's old fields too. */
  readonly legacy: boolean;
}

const turn = z.object({
  role: z.enum(["system", "user", "assistant"]),
  content: z.string(),
});
const history = z.array(z.unknown()).max(MAX_TURNS).pipe(z.array(turn));

const body = z.object({
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
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ProxyError("body_not_object");
  }
  const parsed = body.safeParse(json);
  if (!parsed.success) throw firstProblem(parsed.error, json);
  const fields = parsed.data;
  const system = fields.sys_content || fields.system_content || null;
  const turns = fields.continuous?.length ? fields.continuous : (fields.continuous_dialogue ?? []);
  const request = {
    model: fields.model ? allowedModel(fields.model, limits) : limits.model,
    messages: toMessages(system, turns, fields.user_content),
    maxTokens: allowedTokens(fields.max_tokens ?? limits.maxTokens, limits),
  };
  return {
    request,
    apiKey: fields.api_key || null,
    stream: fields.stream ?? false,
    legacy: "system_content" in json || "continuous_dialogue" in json,
  };
}

/** The system prompt, unless the history brings the same one; the history; the question. */
function toMessages(system: string | null, turns: ChatMessage[], question: string): ChatMessage[] {
  const [first] = turns;
  const hasIt = first?.role === "system" && first.content === system;
  const opening = system === null || hasIt ? [] : [{ role: "system", content: system }];
  return [...opening, ...turns, { role: "user", content: question }];
}

function allowedModel(model: string, { allowedModels }: EnvelopeLimits): string {
  if (allowedModels.length === 0 || allowedModels.includes(model)) return model;
  throw new ProxyError("field_choice", {
    params: { field: "model", choices: allowedModels.join(", ") },
    facts: { field: "model" },
  });
}

function allowedTokens(maxTokens: number, { maxTokensLimit }: EnvelopeLimits): number {
  if (maxTokens >= 1 && maxTokens <= maxTokensLimit) return maxTokens;
  throw new ProxyError("field_range", {
    params: { field: "max_tokens", min: 1, max: maxTokensLimit },
    facts: { field: "max_tokens" },
  });
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
