import type { Completion, Usage } from "../core/call/messages.ts";
import { saidIn, unsaidIn } from "../core/call/said.ts";
import { ProxyError } from "../core/errors.ts";
import { type Failure, failureIn, saysOnlyAnError } from "./reading/failure.ts";
import { fieldOf, isObject, jsonIn, stringIn } from "./reading/json.ts";
import { usageIn } from "./reading/usage.ts";

/** Makes the error to throw for an answer that is one. */
type Fail = (failure: Failure) => ProxyError;

/** Reads a whole answer. HTML, an empty text and other JSON are a bad answer. */
export function readCompletion(text: string, fail: Fail): Completion {
  const answer = answerIn(text, fail);
  if (!isObject(firstChoice(answer))) {
    throw saysOnlyAnError(answer)
      ? fail({ error: answer, text })
      : new ProxyError("upstream_bad_answer");
  }
  const completion = completionOf(answer);
  return { ...completion, text: completion.text.toWellFormed() };
}

/** Reads one event of a stream: a piece of the text, and the rest as far as the event has it. */
export function readDelta(data: string, fail: Fail, before: Usage | null = null): Completion {
  return completionOf(answerIn(data, fail), before);
}

function answerIn(text: string, fail: Fail): object {
  const value = jsonIn(text);
  if (!isObject(value)) throw new ProxyError("upstream_bad_answer");
  const isSilent = saidIn(firstChoice(value)) === "";
  const failure = failureIn(value, isSilent, () => text);
  if (failure !== null) throw fail(failure);
  return value;
}

function completionOf(answer: object, before: Usage | null = null): Completion {
  const choice = firstChoice(answer);
  const { usage, reasoned } = usageIn(answer, before);
  const unsaid = unsaidIn(choice);
  return {
    usage,
    ...(unsaid !== "" && { unsaid }),
    ...(reasoned && { reasoned }),
    text: saidIn(choice),
    model: stringIn(answer, "model") ?? "",
    finishReason: stringIn(choice, "finish_reason"),
    upstreamId: stringIn(answer, "id"),
  };
}

function firstChoice(answer: object): unknown {
  const choices = fieldOf(answer, "choices");
  return Array.isArray(choices) ? choices[0] : null;
}
