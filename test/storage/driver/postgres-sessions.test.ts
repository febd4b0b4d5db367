import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createSessions } from "../../../src/storage/driver/postgres-sessions.ts";
import { rawQuery } from "../support/plans.ts";

const READY = Buffer.from("5200000008000000005a0000000549", "hex");

function errorMessage(code: string): Buffer {
  const fields = `SFATAL\0VFATAL\0C${code}\0Mterminating connection\0\0`;
  const message = Buffer.alloc(5 + fields.length);
  message.write("E");
  message.writeInt32BE(4 + fields.length, 1);
  message.write(fields, 5);
  return message;
}

test("a session that ends in the moment it begins is an error of its work, and of nothing else", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(Buffer.concat([READY, errorMessage("57P01")])));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // a TCP server's address is never text
  const { port } = server.address() as AddressInfo;
  const connection = { host: "127.0.0.1", port, user: "u", database: "d" };
  const sessions = createSessions(connection, {
    connections: 10,
    onError: () => undefined,
    nowMs: performance.now.bind(performance),
  });
  onTestFinished(async () => {
    await sessions.close();
    server.close();
  });
  // an error without a listener would end the process
  const uses = Array.from({ length: 8 }, () =>
    sessions.use((one) => one.query(rawQuery("SELECT 1"))),
  );
  for (const use of await Promise.allSettled(uses)) expect(use.status).toBe("rejected");
});
