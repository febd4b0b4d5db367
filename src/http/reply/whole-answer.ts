import type { Call } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import type { RelayAnswer, WholeAnswer } from "../../core/upstream-ports.ts";

/** The answer to a request that asked for no stream. */
export function wholeOf(answer: RelayAnswer): WholeAnswer {
  if (answer.kind === "whole") return answer;
  throw new ProxyError("internal", { cause: "a stream that nobody asked for" });
}

/** Takes room for an answer that another call has asked for. */
export async function holdWhole(
  { room, signal }: Pick<Call, "room" | "signal">,
  bytes: number,
): Promise<void> {
  room.begin(bytes);
  try {
    await room.take(bytes, signal);
    room.arrived();
  } catch (thrown) {
    room.drop();
    throw thrown;
  }
}
