import type { Clock, RelayAccount, RelayPiece, StreamedAnswer } from "../ports.ts";
import { asSeenBy } from "./ask.ts";
import type { Principal } from "./call.ts";
import type { AnswerEvent, Completion } from "./messages.ts";
import type { Ending } from "./settle.ts";
import type { StreamObserver } from "./settled-stream.ts";

export function observeEvents(principal: Principal, clock: Clock): StreamObserver<AnswerEvent> {
  let firstTokenAtMs: number | undefined;
  let ending: Ending = {};
  return {
    sees(event) {
      if (event.type === "text-delta") firstTokenAtMs ??= clock.monotonicMs();
      if (event.type !== "answer-end") return false;
      ending = { account: accountOf(event.completion) };
      return true;
    },
    ending: () => ({ ...ending, firstTokenAtMs }),
    asSeen: (error) => asSeenBy(principal, error),
  };
}

export function observePieces(
  answer: StreamedAnswer,
  principal: Principal,
  clock: Clock,
): StreamObserver<RelayPiece> {
  let firstTokenAtMs: number | undefined;
  return {
    sees({ last }) {
      if (!last) firstTokenAtMs ??= clock.monotonicMs();
      return last;
    },
    ending: () => ({ account: answer.account(), firstTokenAtMs }),
    asSeen: (error) => asSeenBy(principal, error),
  };
}

export function accountOf({ model, usage, upstreamId }: Completion): RelayAccount {
  return { model, usage, upstreamId };
}
