import type { Call } from "../../core/call/call.ts";
import { toProxyError } from "../../core/errors.ts";
import type { RelayAnswer, RelayPiece, WholeAnswer } from "../../core/ports.ts";

/** A relayed answer as a whole: joins the pieces if the upstream streamed it. */
export async function collect(
  answer: RelayAnswer,
  call: Pick<Call, "room" | "signal">,
): Promise<Omit<WholeAnswer, "kind" | "account">> {
  if (answer.kind === "whole") return answer;
  const { status, contentType, pieces } = answer;
  return { status, contentType, bytes: await join(pieces, call) };
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

/** The pieces take room like a whole answer. Without room the call is settled as broken. */
async function join(
  pieces: AsyncIterable<RelayPiece>,
  { room, signal }: Pick<Call, "room" | "signal">,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const iterator = pieces[Symbol.asyncIterator]();
  room.begin(Number.POSITIVE_INFINITY);
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      parts.push(next.value.bytes);
      await room.take(next.value.bytes.length, signal);
    }
  } catch (thrown) {
    room.drop();
    const error = toProxyError(thrown);
    await iterator.throw?.(error).catch(() => undefined);
    throw error;
  }
  room.arrived();
  return Buffer.concat(parts);
}
