import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { expect, test } from "vitest";
import { closePort } from "../../src/http/close-port.ts";
import { deadline } from "../support/http.ts";

const WAIT_MS = 5_000;

test("connections that the system has made are taken before the port is closed", async () => {
  const server = createServer((socket) => socket.end("taken"));
  const { port } = await listening(server);
  const sockets = Array.from({ length: 50 }, () => createConnection({ port, host: "127.0.0.1" }));
  const texts = sockets.map(async (socket) => (await socket.toArray()).join(""));
  await deadline(closePort(server), WAIT_MS, "the port is closed");
  expect(await Promise.all(texts)).toEqual(sockets.map(() => "taken"));
  const late = createConnection({ port, host: "127.0.0.1" });
  await expect(once(late, "connect")).rejects.toThrow("ECONNREFUSED");
});

test("a port that clients never leave alone is closed all the same", async () => {
  const server = createServer((socket) => socket.destroy());
  const { port } = await listening(server);
  let closed = false;
  const knock = () => {
    if (closed) return;
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.once("close", knock);
  };
  for (let count = 0; count < 20; count += 1) knock();
  await deadline(closePort(server, 300), WAIT_MS, "the port is closed");
  closed = true;
  expect(server.listening).toBe(false);
});

test("connections of HTTP end: at once without a request, else with the response", async () => {
  const go = Promise.withResolvers<void>();
  const server = createHttpServer(async (incoming, outgoing) => {
    if (incoming.url === "/slow") await go.promise;
    outgoing.end("answer");
  });
  const { port } = await listening(server);
  const ask = async (path: string) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    if (path !== "/slow") await once(socket, "data");
    return socket;
  };
  const slow = await ask("/slow");
  await once(server, "request");
  const idle = await ask("/");
  const ended = once(idle.resume(), "end");
  await closePort(server);
  await deadline(ended, WAIT_MS, "the idle connection ends");
  go.resolve();
  expect(String((await once(slow, "data"))[0])).toContain("200 OK");
  server.closeAllConnections();
});

async function listening(server: ReturnType<typeof createServer>): Promise<AddressInfo> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address() as AddressInfo; // no pipe
}
