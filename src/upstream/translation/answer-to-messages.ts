import { saidInMessage } from "../../core/call/said.ts";
import { ProxyError } from "../../core/errors.ts";
import { usageIn } from "../reading/usage.ts";
import { fieldsOf, type JsonFields, jsonText, listed, stringOf } from "./fields.ts";
import { objectIn } from "./object-in.ts";
import { stopReason } from "./stop-reasons.ts";
import { messagesUsage } from "./usage-forms.ts";

/** A whole answer of OpenAI's as Anthropic's message; null if it is none. */
export function toMessage(answer: JsonFields): JsonFields | null {
  const choice = fieldsOf(listed(answer.choices)[0]);
  const { message, finish_reason: finish } = choice;
  if (message === undefined) return null;
  const said = fieldsOf(message);
  const isRefused = stringOf(said.refusal) !== "";
  const calls = listed(said.tool_calls).length > 0;
  return {
    ...messageHead(answer),
    content: contentOf(said, finish),
    stop_reason: isRefused ? "refusal" : stopReason(finish, calls),
    stop_sequence: null,
    usage: messagesUsage(usageIn(answer).usage),
  };
}

/** What a message, and the first event of one, begin with. */
export function messageHead({ id, model }: JsonFields): JsonFields {
  return { id: stringOf(id), type: "message", role: "assistant", model: stringOf(model) };
}

function contentOf(message: JsonFields, finish: unknown): readonly JsonFields[] {
  const text = saidInMessage({ content: message.content }) + stringOf(message.refusal);
  const uses = listed(message.tool_calls).map((call) => useOf(fieldsOf(call), finish));
  return text === "" ? uses : [{ type: "text", text }, ...uses];
}

function useOf({ id, function: called }: JsonFields, finish: unknown): JsonFields {
  const { name, arguments: given } = fieldsOf(called);
  const input = objectIn(jsonText(given));
  // a call that was cut by the bound is not made
  if (input === null && finish !== "length") throw new ProxyError("upstream_bad_answer");
  return { type: "tool_use", id, name, input: input ?? {} };
}
