import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { type ProxyError, toProxyError } from "../../../core/errors.ts";
import type { Clock } from "../../../core/ports.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { createOutbox } from "./backpressure-writer.ts";
import { createStrayCount } from "./control-frame-limit.ts";
import type { Frames } from "./frames.ts";
import { keepAlive } from "./heartbeat.ts";
import { createIdleTimer } from "./idle-timer.ts";
import { createJsonFrames, SUBPROTOCOL } from "./json-frames.ts";
import type { Unfinished } from "./message-buffer-limit.ts";
import type { Begin } from "./pending-questions.ts";
import { createTextFrames } from "./text-frames.ts";

/** Why we close, as RFC 6455 numbers it. */
const CLOSED = {
  normal: 1_000,
  goingAway: 1_001,
  unsupported: 1_003,
  policy: 1_008,
  internal: 1_011,
  tryLater: 1_013,
} as const;

/** An open connection, from the handshake to the end of its last question. */
export interface Connection {
  /** Closes it once no question is open. */
  drain(): void;
  /** Drops it. */
  terminate(): void;
  /** It is closed, and all its questions are over. */
  readonly over: Promise<void>;
}

export interface ConnectionOptions {
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly begin: Begin;
  readonly rules: ModelRules;
  readonly reasonOf: (error: ProxyError, context: RequestContext) => string;
  readonly unfinished: Unfinished;
  readonly idleMs: number;
  readonly clock: Clock;
  /** Is told of errors nobody foresaw. */
  readonly report: (error: ProxyError) => void;
}

export function openConnection(options: ConnectionOptions): Connection {
  const { ws, socket } = options;
  const over = Promise.withResolvers<void>();
  const isFlood = createStrayCount(options.clock);
  const outbox = createOutbox(ws, socket);
  let draining = false;
  let gone = false;

  const leave = () => {
    gone = true;
    idle.end();
    frames.leave();
    if (ws.readyState === ws.CLOSED && frames.open === 0) over.resolve();
  };
  const close = (code: number, reason: string) => {
    ws.close(code, reason);
    leave();
  };
  const closeUnlessAsked = (code: number, reason: string) => {
    if (!gone && frames.open === 0) close(code, reason);
  };
  const idle = createIdleTimer(options.idleMs, () => closeUnlessAsked(CLOSED.normal, "idle"));
  const onStray = () => {
    if (!gone && isFlood()) close(CLOSED.policy, "too many frames that ask nothing");
  };
  const onOver = () => {
    if (gone) leave();
    else if (draining) closeUnlessAsked(CLOSED.goingAway, "stopping");
  };
  const create = ws.protocol === SUBPROTOCOL ? createJsonFrames : createTextFrames;
  const begin = idle.awakeWhile(options.begin);
  const frames: Frames = create({ ...options, begin, outbox, onStray, onOver });
  listen(options, {
    isGone: () => gone,
    close,
    leave,
    onStray,
    receive: (bytes) => frames.receive(bytes),
  });
  keepAlive(ws, { isStalled: () => outbox.stalled });
  return {
    drain() {
      draining = true;
      closeUnlessAsked(CLOSED.goingAway, "stopping");
    },
    terminate: () => ws.terminate(),
    over: over.promise,
  };
}

interface Handlers {
  isGone(): boolean;
  close(code: number, reason: string): void;
  leave(): void;
  onStray(): void;
  receive(bytes: Buffer): void;
}

/** Nothing may escape from here: an error in a listener would end the process. */
function listen(
  { ws, socket, unfinished, report }: ConnectionOptions,
  { isGone, close, leave, onStray, receive }: Handlers,
): void {
  ws.on("message", (data, isBinary) => {
    if (isGone()) return;
    if (isBinary) return close(CLOSED.unsupported, "text only");
    try {
      receive(data as Buffer); // a whole message is one Buffer, as binaryType is left what it was
    } catch (thrown) {
      report(toProxyError(thrown));
      close(CLOSED.internal, "internal");
    }
  });
  ws.on("ping", onStray);
  ws.on("pong", onStray);
  // `ws` has closed with the right code by then
  ws.on("error", leave);
  ws.once("close", leave);
  // the client has said goodbye: from here on nothing can be told
  socket.once("finish", leave);
  unfinished.watch(ws, socket, () => {
    if (isGone()) return;
    close(CLOSED.tryLater, "overloaded");
    socket.destroySoon();
  });
}
