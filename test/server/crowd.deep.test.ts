/** Many clients that do little each, and a heap that is small. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { expect, test } from "vitest";
import { postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { until } from "../support/process.ts";

const TEST_MS = 120_000;
const WAIT_MS = 20_000;
const MEGABYTE = 1_048_576;
const QUESTION = { user_content: "still there?" };
const UPLOAD =
  "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{";

/** Opens them a few at a time, so that none is refused for the length of a queue. */
async function connectMany(port: number, count: number, first: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: 100 }, () => createConnection({ port, host: "127.0.0.1" }));
    await Promise.all(
      some.map((socket) => {
        socket.on("error", () => undefined);
        if (first !== "") socket.write(first);
        return once(socket, "connect");
      }),
    );
    sockets.push(...some);
  }
  return sockets;
}

test.each([
  ["that say nothing", 6_000, "", 200 * MEGABYTE],
  ["whose small uploads do not end", 3_000, UPLOAD, 200 * MEGABYTE],
])(
  "connections %s: %d cost little, and others are answered",
  async (what, count, first, mostBytes) => {
    const { parley, upstream } = await startPair();
    await postJson(parley.url, QUESTION);
    const before = parley.residentBytes();
    const socketsBefore = parley.openSockets(upstream.port);
    const sockets = await connectMany(parley.port, count, first);
    expect((await postJson(parley.url, QUESTION)).status).toBe(200);
    const rise = parley.residentBytes() - before;
    process.stdout.write(`${count} connections ${what}: RSS +${(rise / MEGABYTE).toFixed(0)} MB\n`);
    expect(rise).toBeLessThan(mostBytes);
    for (const socket of sockets) socket.destroy();
    await until(() => parley.openSockets(upstream.port) <= socketsBefore, {
      label: "all are closed",
      timeoutMs: WAIT_MS,
    });
    expect((await postJson(parley.url, QUESTION)).status).toBe(200);
  },
  TEST_MS,
);

test(
  "60 bodies of 900 KB at once end no process whose heap has 64 MB",
  async () => {
    const { parley } = await startPair({ NODE_OPTIONS: "--max-old-space-size=64" });
    const body = { user_content: "x".repeat(900_000) };
    const replies = await Promise.all(Array.from({ length: 60 }, () => postJson(parley.url, body)));
    const statuses = new Set(replies.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect((await postJson(parley.url, QUESTION)).status).toBe(200);
  },
  TEST_MS,
);
