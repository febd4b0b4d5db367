import type { Server } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/** For a port on which something arrives in every turn. */
const MAX_TURNS = 1_000;

/**
 * Closes a port, and the connections of HTTP that have no request. What has arrived and is not read yet would
 * be reset, so this waits for a turn of the event loop in which nothing came.
 */
export async function closePort(server: Server): Promise<void> {
  let came = true;
  const note = () => {
    came = true;
  };
  for (const event of ["connection", "request"]) server.on(event, note);
  for (let turn = 0; came && turn < MAX_TURNS; turn += 1) {
    came = false;
    await nextTurn();
  }
  for (const event of ["connection", "request"]) server.off(event, note);
  server.close();
}
