import type { Clock } from "../ports.ts";
import type { RelayAnswer } from "../upstream-ports.ts";
import { type Attempts, attemptsAt, attemptsBy, NOWHERE } from "./attempts.ts";
import type { Call, Principal } from "./call.ts";
import type { Unmetered } from "./pipeline.ts";
import type { Settle } from "./settle.ts";
import { observePieces, SettledStream } from "./settled-stream.ts";
import type { Routing } from "./targets.ts";

/** Of a call that costs nothing. */
export const noSettle: Settle = () => Promise.resolve();

/** Where a request goes that costs nothing. */
export async function attemptsFor(
  routing: Routing,
  principal: Principal,
  { upstream, model = "" }: Unmetered,
): Promise<Attempts> {
  const plan = await routing.planFor(model);
  if (upstream === undefined) return attemptsBy(plan, principal, model);
  return attemptsAt(upstream, plan, routing.planOf(upstream)) ?? NOWHERE;
}

/** An answer that costs nothing. Until it has passed, its call holds what it has taken. */
export function passUnmetered(
  answer: RelayAnswer,
  call: Call,
  attempts: Attempts,
  leaveStream: () => void,
  clock: Clock,
): RelayAnswer {
  const leave = () => {
    attempts.leave();
    leaveStream();
  };
  if (answer.kind === "whole") {
    leave();
    return answer;
  }
  const options = {
    settle: noSettle,
    hasLeft: () => call.signal.aborted,
    leave,
    // there is no usage to be read
    drains: false,
    inBackground: () => undefined,
  };
  const observer = observePieces(answer, call.principal, clock);
  return { ...answer, pieces: new SettledStream(answer.pieces, observer, options) };
}
