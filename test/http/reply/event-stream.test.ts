import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { type EventStream, openEventStream } from "../../../src/http/reply/event-stream.ts";
import { deadline } from "../../support/http.ts";

const started: (() => void)[] = [];
afterAll(() => {
  for (const end of started) end();
});

/** A socket pair: our answer on one end, on the other a reader that reads only when told to. */
async function connect() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  started.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const arrived = once(server, "request");
  const sent = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  sent.on("error", () => undefined);
  sent.end();
  const [, outgoing] = (await arrived) as [unknown, ServerResponse];
  const stream = openEventStream(outgoing, { "x-test": "1", "content-type": "overridden" });
  const [incoming] = await once(sent, "response");
  return { stream, outgoing, sent, incoming };
}

const EVENT = "x".repeat(65_536);

/** Sends until a send goes on waiting: nobody reads, and the system's buffers are full. */
async function fill(stream: EventStream): Promise<{ waiting: Promise<void>; count: number }> {
  for (let count = 1; ; count += 1) {
    const waiting = stream.send(EVENT);
    if (waiting === undefined) continue;
    const taken = waiting.then(() => true);
    const stuck = turns(50).then(() => false);
    if (!(await Promise.race([taken, stuck]))) return { waiting, count };
  }
}

/** What the system still takes, it takes within a few turns. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

const label = "the event stream";

describe.concurrent("an event stream", () => {
  test("sends its headers before any event, and each event as it comes", async () => {
    const { stream, incoming } = await connect();
    expect(incoming.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "x-test": "1",
    });
    incoming.setEncoding("utf8");
    for (const data of ["one", "two"]) {
      await stream.send(data);
      const [chunk] = await deadline(once(incoming, "data"), 5_000, label);
      expect(chunk).toBe(`data: ${data}\n\n`);
    }
    stream.end();
    await deadline(once(incoming, "end"), 5_000, label);
  });

  test("makes its writer wait while the reader takes nothing, and go on when it reads", async () => {
    const { stream, outgoing, incoming } = await connect();
    const { waiting, count } = await fill(stream);
    expect(outgoing.writableLength).toBeLessThan(4 * EVENT.length);
    let received = 0;
    incoming.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    await deadline(waiting, 5_000, label);
    stream.end();
    await deadline(once(incoming, "end"), 5_000, label);
    expect(received).toBe(count * (EVENT.length + "data: \n\n".length));
  });

  test("tells a waiting writer that its reader has left", async () => {
    const { stream, outgoing, sent } = await connect();
    const { waiting } = await fill(stream);
    sent.destroy();
    await expect(deadline(waiting, 5_000, label)).rejects.toMatchObject({ code: "canceled" });
    await expect(stream.send("more")).rejects.toMatchObject({ code: "canceled" });
    expect(outgoing.listenerCount("drain")).toBe(0);
    stream.end();
  });

  test("leaves no listener behind, however often it waited", async () => {
    const { stream, outgoing, incoming } = await connect();
    const before = outgoing.listenerCount("close");
    incoming.resume();
    for (let count = 0; count < 200; count += 1) await stream.send("x".repeat(20_000));
    expect(outgoing.listenerCount("close")).toBe(before);
    expect(outgoing.listenerCount("drain")).toBeLessThanOrEqual(1);
    stream.end();
    await deadline(once(incoming, "end"), 5_000, label);
  });
});
