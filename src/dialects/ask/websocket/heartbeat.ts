import type { WebSocket } from "ws";

/** Proxies close a silent connection after 60 (nginx) or 100 s (Cloudflare). */
const PING_MS = 30_000;

export interface HeartbeatOptions {
  /** While this is so no pong is missed: it cannot come before what is written has been read. */
  readonly isStalled: () => boolean;
  readonly everyMs?: number;
}

/** Asks the other side for a sign of life again and again, and ends the connection without one. */
export function keepAlive(ws: WebSocket, { isStalled, everyMs = PING_MS }: HeartbeatOptions): void {
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
