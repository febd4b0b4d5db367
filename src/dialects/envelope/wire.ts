import { z } from "zod";
import type { AnswerEvent, ChatMessage, Completion } from "../../core/call/messages.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import { chosenModel, chosenTokens, type ModelRules } from "../../http/body/model-choice.ts";
import { parsed } from "../../http/body/parsed.ts";

/** A longer history than any model's window; checked before the messages themselves. */
export const MAX_HISTORY = 4_096;

export interface EnvelopeLimits extends ModelRules {
  /** The default for `max_tokens`. */
  readonly maxTokens: number;
}

export const historyMessage = z.object({
  role: z.enum(["system", "user", "assistant"]),
  content: z.string(),
});
const history = z.array(z.unknown()).max(MAX_HISTORY).pipe(z.array(historyMessage));

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

type EnvelopeQuestion = ReturnType<typeof parseEnvelope>;

/** Throws the first mistake, naming the field. Ignores unknown fields. */
export function parseEnvelope(json: unknown, limits: EnvelopeLimits) {
  const fields = parsed(envelopeBody, json);
  const { sys_content, system_content, continuous, continuous_dialogue, user_content } = fields;
  const past = continuous?.length ? continuous : (continuous_dialogue ?? []);
  return {
    request: {
      model: chosenModel(fields.model, limits),
      messages: toMessages(sys_content || system_content || null, past, user_content),
      maxTokens: chosenTokens(fields.max_tokens ?? limits.maxTokens, limits),
    },
    apiKey: fields.api_key || null,
    stream: fields.stream ?? false,
    /** The client uses an old field name, so it reads the old fields of the response too. */
    legacy: "system_content" in fields || "continuous_dialogue" in fields,
  };
}

/** The system prompt, unless the history starts with it; the history; the question. */
function toMessages(system: string | null, past: ChatMessage[], question: string): ChatMessage[] {
  const [first] = past;
  const hasIt = first?.role === "system" && first.content === system;
  const opening = system === null || hasIt ? [] : [{ role: "system", content: system }];
  return [...opening, ...past, { role: "user", content: question }];
}

/** The body of a success; `data.continuous` is the history to send with the next question. */
export function writeEnvelope(msg: string, question: EnvelopeQuestion, completion: Completion) {
  const { request, legacy } = question;
  const { text, usage } = completion;
  const continuous = [...request.messages, { role: "assistant", content: text }];
  const data = {
    response: text,
    model: completion.model || request.model,
    usage: usage && {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      total_tokens: usage.totalTokens,
    },
    finish_reason: completion.finishReason,
    continuous,
  };
  return { code: 200, msg, data, ...(legacy && { current_response: text, result: continuous }) };
}

/** A stream: pieces as `data.delta`, then the whole body with `done`. One JSON text per event. */
export async function* writeEnvelopeEvents(
  events: AsyncIterable<AnswerEvent>,
  question: EnvelopeQuestion,
  msg: string,
): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === "text-delta") {
      yield JSON.stringify({ code: 200, msg, data: { delta: event.text } });
    } else if (event.type === "answer-end") {
      const { data, ...rest } = writeEnvelope(msg, question, event.completion);
      yield wellFormedJson({ ...rest, data: { ...data, done: true }, done: true });
    }
  }
}
