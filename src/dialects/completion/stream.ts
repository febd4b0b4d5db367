import { mapRelayedEvents } from "../../core/call/relayed-events.ts";
import { PARSED_EVENTS } from "../../core/sse.ts";
import type { StreamedAnswer } from "../../core/upstream-ports.ts";
import { writeChunk } from "./answer.ts";
import { WholeDeltas } from "./whole-deltas.ts";

/** The upstream's chunks as this dialect writes them, one text for each event. */
export function writeChunks(answer: StreamedAnswer, maxEventBytes: number): AsyncGenerator<string> {
  const deltas = new WholeDeltas();
  return mapRelayedEvents(answer, PARSED_EVENTS * maxEventBytes, (data) =>
    writeChunk(data, deltas),
  );
}
