import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { constants, createGunzip } from "node:zlib";
import type { Clock } from "../core/ports.ts";
import { requestTo } from "./public-call.ts";

export interface Ticks {
  /** Of the response; 0 if none came. */
  readonly status: number;
  readonly isCompressed: boolean;
  /** When each tick was sent and when it came, each since its own start. */
  readonly all: readonly { readonly sentMs: number; readonly cameMs: number }[];
  /** `left`: by us. `cut`: the connection broke or ended before the last tick. */
  readonly end: "whole" | "cut" | "left" | "late";
  /** How long it took. */
  readonly ms: number;
}

export interface TickOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** How many the server sends. */
  readonly count: number;
  /** Leaves after so many. */
  readonly leaveAfter?: number;
  readonly timeoutMs: number;
}

/** Reads a stream of /admin/doctor/stream and notes when each tick came. */
export function readTicks(url: URL, options: TickOptions): Promise<Ticks> {
  const { headers, clock, count, leaveAfter = count, timeoutMs } = options;
  const startedMs = clock.monotonicMs();
  const all: { sentMs: number; cameMs: number }[] = [];
  const accepts = { ...headers, "accept-encoding": "gzip" };
  return new Promise((resolve) => {
    const sent = requestTo(url)(url, { agent: false, headers: accepts });
    let response: IncomingMessage | null = null;
    const finish = (end: Ticks["end"]) => {
      clearTimeout(late);
      sent.destroy();
      const isCompressed = response?.headers["content-encoding"] !== undefined;
      const ms = clock.monotonicMs() - startedMs;
      resolve({ status: response?.statusCode ?? 0, isCompressed, all, end, ms });
    };
    const late = setTimeout(finish, timeoutMs, "late");
    const timesIn = createTickReader();
    const take = (piece: string) => {
      const cameMs = clock.monotonicMs() - startedMs;
      all.push(...timesIn(piece).map((sentMs) => ({ sentMs, cameMs })));
      if (all.length >= leaveAfter) finish(leaveAfter < count ? "left" : "whole");
    };
    sent.once("response", (incoming) => {
      response = incoming;
      const readable = unpacked(incoming).setEncoding("utf8");
      readable.on("data", take);
      for (const event of ["end", "error", "close"]) readable.once(event, () => finish("cut"));
    });
    sent.on("error", () => finish("cut"));
    sent.end();
  });
}

function unpacked(incoming: IncomingMessage): Readable {
  if (incoming.headers["content-encoding"] !== "gzip") return incoming;
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  incoming.once("close", () => gunzip.end());
  return incoming.on("error", () => gunzip.end()).pipe(gunzip);
}

/** When ticks were sent, from pieces that may end anywhere. */
function createTickReader(): (piece: string) => readonly number[] {
  let rest = "";
  return (piece) => {
    const lines = `${rest}${piece}`.split("\n");
    rest = lines.pop() ?? "";
    return lines.flatMap((line) => /"at_ms":(\d+)/.exec(line)?.[1] ?? []).map(Number);
  };
}
