import { NOTHING_SEEN } from "../../core/call/estimate.ts";
import type { Usage } from "../../core/call/messages.ts";
import { paidUsage } from "../../core/call/messages.ts";
import type { RelayAccount } from "../../core/upstream-ports.ts";
import { fieldOf, isObject, stringIn } from "./json.ts";
import { usageIn } from "./usage.ts";

/** What an answer, or an event of a stream, says about its call. */
export function accountIn(value: object, before: Usage | null = null): RelayAccount {
  const answer = answerOf(value);
  const { usage, reasoned } = usageIn(value, before);
  const seconds = secondsIn(answer);
  const account = {
    ...NOTHING_SEEN,
    usage: paidUsage(usage),
    reasoned,
    model: stringIn(answer, "model"),
    upstreamId: stringIn(answer, "id"),
    pending: isPending(answer, answer !== value),
  };
  return seconds === null ? account : { ...account, seconds };
}

/** Of audio: as they are billed, or as they are. */
function secondsIn(answer: object): number | null {
  const seconds = fieldOf(fieldOf(answer, "usage"), "seconds") ?? fieldOf(answer, "duration");
  return typeof seconds === "number" && seconds >= 0 ? seconds : null;
}

/** Events of the responses API hold the answer one level down, and so does Anthropic's first one. */
function answerOf(value: object): object {
  const response = fieldOf(value, "response");
  if (isObject(response)) return response;
  const message = stringIn(value, "type") === "message_start" ? fieldOf(value, "message") : null;
  return isObject(message) ? message : value;
}

/** Null: it does not say, and so it may be. */
const OPEN_STATES: ReadonlySet<string | null> = new Set(["queued", "in_progress", null]);

/** A stream begins in progress, so there the answer must say that it is made in the background. */
function isPending(answer: object, isEvent: boolean): boolean {
  const status = stringIn(answer, "status");
  const background = fieldOf(answer, "background");
  if (isEvent || status === null) return background === true && OPEN_STATES.has(status);
  return background !== false && OPEN_STATES.has(status);
}
