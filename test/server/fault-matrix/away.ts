/** Addresses at which nobody answers as a service does. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { cert, keyPath } from "../../support/certificate.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { freePort } from "../../support/free-port.ts";

/** Started once, at the first look. */
export const away = {
  "connection refused": async () => `http://127.0.0.1:${await freePort()}/v1`,
  "an unknown name": async () => "http://nothing.invalid/v1",
  "no TLS": () => listening("https://127.0.0.1", createHttpServer()),
  "a certificate of its own": () =>
    listening("https://localhost", createHttpsServer({ cert, key: readFileSync(keyPath) })),
  "no greeting": () =>
    listening(
      "https://127.0.0.1",
      createServer((socket) => socket.on("error", () => undefined).resume()),
    ),
} as const;

async function listening(origin: string, server: Server): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closeAfterFile({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return `${origin}:${(server.address() as AddressInfo).port}/v1`;
}
