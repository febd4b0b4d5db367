/** Why an answer ended: Anthropic's reasons, and what OpenAI calls them. */
const TO_CHAT: ReadonlyMap<unknown, string> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["pause_turn", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
]);

const TO_MESSAGES: ReadonlyMap<unknown, string> = new Map([
  ["length", "max_tokens"],
  ["tool_calls", "tool_use"],
  ["function_call", "tool_use"],
  ["content_filter", "refusal"],
]);

/** A reason that is not known is the usual one: the answer has ended. */
export function finishReason(stopReason: unknown): string {
  return TO_CHAT.get(stopReason) ?? "stop";
}

/** `calls`: the answer calls tools, of which some services say nothing here. */
export function stopReason(finish: unknown, calls: boolean): string {
  return TO_MESSAGES.get(finish) ?? (calls ? "tool_use" : "end_turn");
}
