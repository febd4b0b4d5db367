import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type pg from "pg";

/** A server that hangs doesn't take it. */
const MAX_WAIT_MS = 500;
const CANCEL_BYTES = 16;
/** What stands in the place of the protocol's version. */
const CANCEL_CODE = 80_877_102;

/** What the driver knows of a session, beyond its types. */
interface Known {
  readonly host: string;
  readonly port: number;
  readonly processID?: unknown;
  readonly secretKey?: unknown;
}

/**
 * Ends what a session is doing on the server, as far as the server can be reached. Closing its
 * connection is not enough: the server notices it only when it has an answer, so a session that waits
 * for a lock would keep its place among the server's connections. Never rejects.
 */
export async function endWork(client: pg.PoolClient): Promise<void> {
  // Cast: only read, and looked at before use.
  const { host, port, processID, secretKey } = client as unknown as Known;
  if (typeof processID !== "number" || typeof secretKey !== "number") return;
  const socket = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  socket.on("error", () => undefined);
  // the server answers by closing; a pooler drops the request of a client that leaves first
  socket.resume().write(cancelRequest(processID, secretKey));
  await closed(socket);
  socket.destroy();
}

async function closed(socket: Socket): Promise<void> {
  const signal = AbortSignal.timeout(MAX_WAIT_MS);
  await once(socket, "close", { signal }).catch(() => undefined);
}

function cancelRequest(processID: number, secretKey: number): Buffer {
  const request = Buffer.alloc(CANCEL_BYTES);
  for (const [at, value] of [CANCEL_BYTES, CANCEL_CODE, processID, secretKey].entries()) {
    request.writeInt32BE(value, at * 4);
  }
  return request;
}
