import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { type ProxyError, toProxyError } from "../../../core/errors.ts";
import type { Clock } from "../../../core/ports.ts";
import { createFrameWriter } from "./backpressure-writer.ts";
import { createControlFrameLimit, type LimitMessageBuffer } from "./frame-limits.ts";
import type { Frames, FramesOptions } from "./frames.ts";
import { createJsonFrames, SUBPROTOCOL } from "./json-frames.ts";
import type { BeginQuestion } from "./pending-questions.ts";
import { createTextFrames } from "./text-frames.ts";

/** Close codes of RFC 6455, and of those registered since. */
const CLOSE_CODE = {
  normal: 1_000,
  unsupported: 1_003,
  policy: 1_008,
  internal: 1_011,
  restart: 1_012,
  tryLater: 1_013,
} as const;

/** An open connection, from the handshake to the end of its last question. */
export interface Connection {
  /** Closes it once no question is open. */
  drain(): void;
  /** Drops it. */
  terminate(): void;
  /** Resolves when it is closed and all its questions are over. */
  readonly over: Promise<void>;
}

export interface ConnectionOptions extends Pick<FramesOptions, "begin" | "rules" | "reasonOf"> {
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly bucket: string;
  readonly limitMessageBuffer: LimitMessageBuffer;
  readonly idleMs: number;
  readonly clock: Clock;
  /** Called with unexpected errors. */
  readonly report: (error: ProxyError) => void;
}

export function openConnection(options: ConnectionOptions): Connection {
  const { ws, socket } = options;
  const over = Promise.withResolvers<void>();
  const isFlood = createControlFrameLimit(options.clock);
  const writer = createFrameWriter(ws, socket);
  let draining = false;
  let gone = false;

  const leave = () => {
    gone = true;
    clearTimeout(idle);
    frames.leave();
    if (ws.readyState === ws.CLOSED && frames.open === 0) over.resolve();
  };
  const close = (code: number, reason: string) => {
    ws.close(code, reason);
    leave();
  };
  const closeIfUnused = (code: number, reason: string) => {
    if (!gone && frames.open === 0) close(code, reason);
  };
  const onIdle = () => closeIfUnused(CLOSE_CODE.normal, "idle");
  const idle = setTimeout(onIdle, options.idleMs).unref();
  const onControlFrame = () => {
    if (!gone && isFlood()) close(CLOSE_CODE.policy, "too many frames that ask nothing");
  };
  const onOver = () => {
    if (gone) leave();
    else if (draining) closeIfUnused(CLOSE_CODE.restart, "stopping");
  };
  const create = ws.protocol === SUBPROTOCOL ? createJsonFrames : createTextFrames;
  const begin = createActivity(options.begin, () => {
    // a timer that was cleared would run again
    if (!gone) idle.refresh();
  });
  const frames: Frames = create({ ...options, begin, writer, onControlFrame, onOver });
  listen(options, { frames, isGone: () => gone, close, leave, onControlFrame });
  keepAlive(ws, { isStalled: () => writer.stalled });
  return {
    drain() {
      draining = true;
      closeIfUnused(CLOSE_CODE.restart, "stopping");
    },
    terminate: () => ws.terminate(),
    over: over.promise,
  };
}

/** Calls `onActivity` when a question begins and when it is over. Other frames don't count. */
function createActivity(begin: BeginQuestion, onActivity: () => void): BeginQuestion {
  return (frame) => {
    const question = begin(frame);
    if (frame.bytes === null) return question;
    onActivity();
    const end = (status: number) => {
      onActivity();
      question.end(status);
    };
    return { ...question, end };
  };
}

interface Handlers {
  readonly frames: Frames;
  isGone(): boolean;
  close(code: number, reason: string): void;
  leave(): void;
  onControlFrame(): void;
}

/** Nothing may be thrown from here: an error in a listener would end the process. */
function listen(
  { ws, socket, bucket, limitMessageBuffer, report }: ConnectionOptions,
  { frames, isGone, close, leave, onControlFrame }: Handlers,
): void {
  ws.on("message", (data, isBinary) => {
    if (isGone()) return;
    if (isBinary) return close(CLOSE_CODE.unsupported, "text only");
    try {
      frames.receive(data as Buffer); // always one Buffer: binaryType has its default
    } catch (thrown) {
      report(toProxyError(thrown));
      close(CLOSE_CODE.internal, "internal");
    }
  });
  ws.on("ping", onControlFrame);
  ws.on("pong", onControlFrame);
  // by then `ws` has closed with the right code
  ws.on("error", leave);
  ws.once("close", leave);
  // we have ended our side: nothing more can be sent
  socket.once("finish", leave);
  limitMessageBuffer(ws, socket, bucket, () => {
    if (isGone()) return;
    close(CLOSE_CODE.tryLater, "overloaded");
    socket.destroySoon();
  });
}

/** Proxies close a silent connection after 60 (nginx) or 100 s (Cloudflare). */
const PING_MS = 30_000;

export interface KeepAliveOptions {
  /** While true, no pong is missed: the reader has not reached our ping yet. */
  readonly isStalled: () => boolean;
  readonly everyMs?: number;
}

/** Pings the client, and drops the connection if nothing came back until the next ping. */
export function keepAlive(ws: WebSocket, { isStalled, everyMs = PING_MS }: KeepAliveOptions): void {
  let missing = false;
  const timer = setInterval(() => {
    if (isStalled()) return;
    if (missing) {
      ws.terminate();
      return;
    }
    missing = true;
    ws.ping();
  }, everyMs);
  timer.unref();
  const alive = () => {
    missing = false;
  };
  ws.on("pong", alive);
  ws.on("message", alive);
  ws.once("close", () => clearInterval(timer));
}
