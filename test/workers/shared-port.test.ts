import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listenFirst } from "../../src/workers/shared-port.ts";

const HOST = "127.0.0.1";

async function bind(port: number, reusePort: boolean): Promise<number> {
  const server: Server = createServer();
  server.listen({ host: HOST, port, reusePort });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** One that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a port that somebody shares with anybody is refused all the same", async () => {
  const port = await bind(0, true);
  await expect(listenFirst(HOST, port, () => bind(port, true))).rejects.toThrow("EADDRINUSE");
});

test("while one is about to listen nobody else gets as far", async () => {
  const port = await freePort();
  const go = Promise.withResolvers<void>();
  const about = Promise.withResolvers<void>();
  const first = listenFirst(HOST, port, async () => {
    about.resolve();
    await go.promise;
    return bind(port, true);
  });
  await about.promise;
  await expect(listenFirst(HOST, port, () => bind(port, true))).rejects.toThrow("EADDRINUSE");
  go.resolve();
  expect(await first).toBe(port);
  // and then the port itself says no
  await expect(listenFirst(HOST, port, () => bind(port, true))).rejects.toThrow("EADDRINUSE");
});

test("of port 0 the system gives a free one", async () => {
  const ports = await Promise.all([0, 0, 0].map(() => listenFirst(HOST, 0, () => bind(0, true))));
  expect(new Set(ports).size).toBe(3);
});
