import { Server } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/** A turn of the event loop with nothing to do takes a tenth of this. */
const BRIEF_MS = 0.05;
/** A busy process has no brief turn: the longer it waits, the longer a turn may be. */
const DOUBLES_EVERY_MS = 500;
/** For a port on which more come than the process can take. */
const MAX_WAIT_MS = 5_000;

/**
 * Closes a port. The system resets connections that it has made by then and the process has not taken, so
 * this waits for a turn in which none came and which was so brief that hardly any can have come since.
 */
export async function closePort(server: Server, maxWaitMs = MAX_WAIT_MS): Promise<void> {
  let came = true;
  const note = () => {
    came = true;
  };
  server.on("connection", note);
  const startedMs = performance.now();
  for (let waitedMs = 0, brief = false; !brief && waitedMs < maxWaitMs; ) {
    came = false;
    const limitMs = BRIEF_MS * 2 ** (waitedMs / DOUBLES_EVERY_MS);
    await nextTurn();
    const nowMs = performance.now() - startedMs;
    brief = !came && nowMs - waitedMs < limitMs;
    waitedMs = nowMs;
  }
  // not that of HTTP, which would close idle connections before the port
  Server.prototype.close.call(server);
  server.off("connection", note);
  server.close();
}
