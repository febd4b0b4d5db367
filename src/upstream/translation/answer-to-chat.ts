import { usageIn } from "../reading/usage.ts";
import { fieldsOf, type JsonFields, listed, stringOf } from "./fields.ts";
import { finishReason } from "./stop-reasons.ts";
import { chatUsage } from "./usage-forms.ts";

/** Anthropic's message as a whole answer of OpenAI's; null if it is none. */
export function toCompletion(message: JsonFields, seconds: number): JsonFields | null {
  if (message.type !== "message") return null;
  const { usage } = usageIn(message);
  const choice = {
    index: 0,
    message: saidBy(listed(message.content)),
    logprobs: null,
    finish_reason: finishReason(message.stop_reason),
  };
  return {
    id: stringOf(message.id),
    object: "chat.completion",
    created: seconds,
    model: stringOf(message.model),
    choices: [choice],
    ...(usage !== null && { usage: chatUsage(usage) }),
    ...(usage?.tier !== undefined && { service_tier: usage.tier }),
  };
}

function saidBy(content: readonly unknown[]): JsonFields {
  let text = "";
  let thought = "";
  const calls: JsonFields[] = [];
  for (const one of content) {
    const block = fieldsOf(one);
    if (block.type === "text") text += stringOf(block.text);
    else if (block.type === "thinking") thought += stringOf(block.thinking);
    else if (block.type === "tool_use") calls.push(callOf(block));
  }
  return {
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    refusal: null,
    ...(thought !== "" && { reasoning_content: thought }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function callOf({ id, name, input }: JsonFields): JsonFields {
  return { id, type: "function", function: { name, arguments: JSON.stringify(input ?? {}) } };
}
