import { toProxyError } from "../errors.ts";
import { createEventParser } from "../sse.ts";
import type { RelayPiece, StreamedAnswer } from "../upstream-ports.ts";

/**
 * Maps the data of each event of a relayed stream, up to `[DONE]`. Pieces of any size are put together
 * first, each event up to `maxEventBytes`. Ends with the answer, not with its connection. What `map`
 * throws ends the call, which is then settled as broken.
 */
export async function* mapRelayedEvents<T>(
  { pieces }: StreamedAnswer,
  maxEventBytes: number,
  map: (data: string) => T,
): AsyncGenerator<T> {
  const parser = createEventParser(maxEventBytes);
  const iterator = pieces[Symbol.asyncIterator]();
  let isReading = true;
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { bytes, last } = next.value;
      const events = parser.push(bytes);
      yield* mapped(last ? [...events, ...parser.end()] : events, map);
      if (!last) continue;
      isReading = false;
      void readOn(iterator);
      return;
    }
    isReading = false;
    yield* mapped(parser.end(), map);
  } catch (thrown) {
    isReading = false;
    await iterator.throw?.(toProxyError(thrown));
    throw thrown;
  } finally {
    if (isReading) await iterator.return?.();
  }
}

function* mapped<T>(events: readonly string[], map: (data: string) => T): Generator<T> {
  for (const data of events) {
    if (data === "[DONE]") return;
    yield map(data);
  }
}

/** A connection that was read to its end can be used again. The call's deadlines bound this. */
async function readOn(iterator: AsyncIterator<RelayPiece>): Promise<void> {
  try {
    for (let next = await iterator.next(); next.done !== true; ) next = await iterator.next();
  } catch {
    // the answer was whole: how its connection ends does not matter
  }
}
