import { toProxyError } from "../../core/errors.ts";
import type { RelayPiece, StreamedAnswer } from "../../core/ports.ts";
import { createEventParser } from "../../core/sse.ts";
import { writeChunk } from "./answer.ts";

/**
 * The upstream's chunks as this dialect writes them, one text an event. What comes in pieces of any
 * size is put together first, each event up to `maxEventBytes`.
 */
export async function* writeChunks(
  { pieces }: StreamedAnswer,
  maxEventBytes: number,
): AsyncGenerator<string> {
  const parser = createEventParser(maxEventBytes);
  const iterator = pieces[Symbol.asyncIterator]();
  let reading = true;
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { bytes, last } = next.value;
      const events = parser.push(bytes);
      yield* written(last ? [...events, ...parser.end()] : events);
      if (!last) continue;
      // the client has all there is: it does not wait for the connection to end
      reading = false;
      void readOn(iterator);
      return;
    }
    reading = false;
    yield* written(parser.end());
  } catch (thrown) {
    reading = false;
    // an answer that can't be understood is written down as broken, and closed
    await iterator.throw?.(toProxyError(thrown));
    throw thrown;
  } finally {
    if (reading) await iterator.return?.();
  }
}

function* written(events: readonly string[]): Generator<string> {
  for (const data of events) {
    if (data === "[DONE]") return;
    yield writeChunk(data);
  }
}

/** A connection whose answer was read to its end can be used again. Its deadlines bound this. */
async function readOn(iterator: AsyncIterator<RelayPiece>): Promise<void> {
  try {
    for (let next = await iterator.next(); next.done !== true; ) next = await iterator.next();
  } catch {
    // the answer was whole: how its connection ends is nobody's concern
  }
}
