import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { StoreAddress } from "./connection.ts";
import { wait } from "./in-time.ts";

/** What is to be changed in the address: the server speaks TLS, or does not. */
export type OtherProtocol = "tls" | "no_tls";

/** A server on this network answers sooner. */
const ANSWER_MS = 500;

/**
 * Why nothing came of a connection: a server that speaks TLS ends one that does not, and a store without
 * TLS waits for the end of a handshake's line. Null for a server that is merely away.
 */
export async function otherProtocol({ target }: StoreAddress): Promise<OtherProtocol | null> {
  if ("path" in target) return null;
  const { host, port, tls } = target;
  // nothing is sent that is worth anything, so it does not matter who takes it
  const socket = tls
    ? connectPlain({ host, port })
    : connectTls({ host, port, rejectUnauthorized: false });
  const answers = tls
    ? isPlainStore(socket)
    : new Promise<boolean>((resolve) => {
        socket.once("secureConnect", () => resolve(true));
      });
  const failed = new Promise<false>((resolve) => {
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
  const isOther = await Promise.race([answers, failed, wait(ANSWER_MS)]);
  socket.destroy();
  if (isOther !== true) return null;
  return tls ? "no_tls" : "tls";
}

/** Whether it answers as stores do: +PONG, or an error such as -NOAUTH. */
function isPlainStore(socket: Socket): Promise<boolean> {
  socket.once("connect", () => socket.write("PING\r\n"));
  return new Promise((resolve) => {
    socket.once("data", (bytes: Buffer) => resolve(/^[+-]/.test(bytes.toString("latin1"))));
  });
}
