import type { ServerResponse } from "node:http";
import { ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { EVENT_STREAM_HEADERS } from "../http/reply/event-stream.ts";
import type { ResponseHeaders } from "../http/reply/response-headers.ts";

const MAX_OPEN = 16;
/** Streams whose end is remembered; the oldest is forgotten first. */
const MAX_REMEMBERED = 100;

export interface TickPlan {
  /** Empty: nobody will ask for its end. */
  readonly id: string;
  readonly ticks: number;
  readonly everyMs: number;
}

export interface StreamEnd {
  readonly state: "open" | "left" | "ended" | "unknown";
  /** Since it was left or ended. */
  readonly secondsAgo: number | null;
}

/** Streams of the server's own, which show what proxies do to them. They send no heartbeat. */
export function createDoctorStreams(clock: Pick<Clock, "monotonicMs">) {
  let open = 0;
  const ends = new Map<string, { state: "open" | "left" | "ended"; atMs: number }>();
  const note = (id: string, state: "open" | "left" | "ended") => {
    if (id === "") return;
    ends.delete(id);
    ends.set(id, { state, atMs: clock.monotonicMs() });
    for (const oldest of ends.keys()) {
      if (ends.size <= MAX_REMEMBERED) break;
      ends.delete(oldest);
    }
  };
  return {
    start(outgoing: ServerResponse, headers: ResponseHeaders, { id, ticks, everyMs }: TickPlan) {
      if (open >= MAX_OPEN) throw new ProxyError("overloaded", { retryAfterMs: 1_000 });
      open += 1;
      note(id, "open");
      const startedMs = clock.monotonicMs();
      let sent = 0;
      const tick = () => {
        const atMs = Math.round(clock.monotonicMs() - startedMs);
        outgoing.write(`data: {"tick":${sent},"at_ms":${atMs}}\n\n`);
        sent += 1;
        if (sent >= ticks) outgoing.end();
      };
      const timer = setInterval(tick, everyMs);
      outgoing.once("close", () => {
        clearInterval(timer);
        open -= 1;
        note(id, sent >= ticks ? "ended" : "left");
      });
      outgoing.once("finish", () => clearInterval(timer));
      outgoing.writeHead(200, { ...headers, ...EVENT_STREAM_HEADERS });
      tick();
    },
    endOf(id: string): StreamEnd {
      const end = ends.get(id);
      if (end === undefined) return { state: "unknown", secondsAgo: null };
      const { state, atMs } = end;
      const secondsAgo = (clock.monotonicMs() - atMs) / 1_000;
      return { state, secondsAgo: state === "open" ? null : secondsAgo };
    },
  };
}
