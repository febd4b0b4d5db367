import { Server } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/** A turn of the event loop with nothing to do takes a hundredth of this. */
const BRIEF_MS = 0.05;
/** After so many turns that were longer, the next may take twice as long. */
const TURNS_PER_LIMIT = 100;
const MAX_TURNS = 2_000;

/**
 * Closes a port. The system resets connections that it has made by then and the process has not taken, so
 * this waits for a turn in which none came and which was so brief that hardly any can have come since.
 */
export async function closePort(server: Server): Promise<void> {
  let came = true;
  const note = () => {
    came = true;
  };
  server.on("connection", note);
  for (let turn = 0, brief = false; !brief && turn < MAX_TURNS; turn += 1) {
    came = false;
    const startedMs = performance.now();
    await nextTurn();
    const limitMs = BRIEF_MS * 2 ** Math.floor(turn / TURNS_PER_LIMIT);
    brief = !came && performance.now() - startedMs < limitMs;
  }
  // not that of HTTP, which would close idle connections before the port
  Server.prototype.close.call(server);
  server.off("connection", note);
  server.close();
}
