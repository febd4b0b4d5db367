/** A line to a server on the loopback interface that can be cut, can hang and can lead elsewhere. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** While true, no byte passes in either direction. */
  hang(value: boolean): void;
  /** Where new connections lead; open ones stay. */
  leadTo(port: number): void;
  /** Ends all connections, and resolves when both sides know. */
  cut(): Promise<void>;
  /** Takes no further connections. */
  refuse(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(host: string, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let target = port;
  let hanging = false;
  const server = createServer((client) => {
    const upstream = connect(target, host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => {
        if (!hanging) to.write(bytes);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = async () => {
    const closed = [...sockets].map((socket) => once(socket, "close"));
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
  };
  const refuse = () => void server.close();
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's address is never text
    hang: (value) => {
      hanging = value;
    },
    leadTo: (value) => {
      target = value;
    },
    cut,
    refuse,
    close: async () => {
      refuse();
      await cut();
    },
  };
}
