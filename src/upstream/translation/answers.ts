import { saidIn } from "../../core/call/said.ts";
import { ProxyError } from "../../core/errors.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import { withoutMark } from "../passing.ts";
import { failureIn, saysOnlyAnError } from "../reading/failure.ts";
import { toCompletion } from "./answer-to-chat.ts";
import { toMessage } from "./answer-to-messages.ts";
import type { EventTranslation } from "./events.ts";
import { EventsToChat } from "./events-to-chat.ts";
import { EventsToMessages } from "./events-to-messages.ts";
import { fieldsOf, type JsonFields, listed } from "./fields.ts";
import { toChatModels, toMessagesModels } from "./models.ts";
import { exactlyIn } from "./object-in.ts";
import type { AnswerTranslation } from "./translated-body.ts";

/** OpenAI's answers as Anthropic's. */
export const answersToMessages: AnswerTranslation = {
  whole: (bytes) => rewritten(bytes, (answer) => jsonOf(toMessage(answer))),
  wholeAsEvents: (bytes) => rewritten(bytes, eventsOfWhole),
  events: () => new EventsToMessages(),
};

/** Anthropic's answers as OpenAI's. */
export function answersToChat(seconds: number, withUsage: boolean): AnswerTranslation {
  return {
    whole: (bytes) => rewritten(bytes, (message) => jsonOf(toCompletion(message, seconds))),
    events: () => new EventsToChat(seconds, withUsage),
  };
}

export const modelsToMessages: AnswerTranslation = {
  whole: (bytes) => rewritten(bytes, (list) => jsonOf(toMessagesModels(list))),
  events: noEvents,
};

export const modelsToChat: AnswerTranslation = {
  whole: (bytes) => rewritten(bytes, (list) => jsonOf(toChatModels(list))),
  events: noEvents,
};

/** Lists have no events, and nobody asks for them. */
function noEvents(): EventTranslation {
  return { next: () => "", end: () => "", ping: "" };
}

function jsonOf(translated: JsonFields | null): string | null {
  return translated === null ? null : wellFormedJson(translated);
}

/** Some services ignore that a stream was asked for; Anthropic's clients read nothing else then. */
function eventsOfWhole(answer: JsonFields): string | null {
  const choice = fieldsOf(listed(answer.choices)[0]);
  if (choice.message === undefined) return null;
  const events = new EventsToMessages();
  const only = { ...answer, choices: [{ ...choice, delta: choice.message }] };
  return events.next(JSON.stringify(only)) + events.next("[DONE]");
}

/** An error passes as it is: whoever reads the answer reads errors in any form. */
function rewritten(bytes: Buffer, translate: (answer: JsonFields) => string | null): Buffer {
  const text = String(withoutMark(bytes));
  const answer = exactlyIn(text);
  if (answer === null) return bytes;
  const choice = fieldsOf(listed(fieldsOf(answer).choices)[0]);
  const isSilent = saidIn(choice) === "";
  if (failureIn(answer, isSilent, () => text) !== null) return bytes;
  const translated = translate(fieldsOf(answer));
  if (translated !== null) return Buffer.from(translated);
  if (saysOnlyAnError(answer)) return bytes;
  throw new ProxyError("upstream_bad_answer");
}
