import { once } from "node:events";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createMessageWriter } from "../../../src/dialects/ask/grpc/backpressure-writer.ts";
import { deadline } from "../../support/http.ts";

const STALLED_MS = 50;
const WAIT_MS = 5_000;

test("a stream whose reader takes nothing is reset, and its connection stays", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const opened = once(server, "stream");
  const request = session.request({ ":path": "/stalls" });
  request.on("error", () => undefined);
  request.pause();
  const [stream] = (await opened) as [ServerHttp2Stream];
  stream.on("error", () => undefined);
  stream.respond({ ":status": 200 });
  const writer = createMessageWriter(
    ({ response }, onTaken) => stream.write(response, onTaken),
    stream,
    STALLED_MS,
  );
  await writer.write({ response: "taken" });
  const refused = expect(writer.write({ response: "x".repeat(1_000_000) })).rejects;
  const closed = once(stream, "close");
  await deadline(closed, WAIT_MS, "the stalled stream is reset");
  await refused.toMatchObject({ code: "canceled" });
  expect(stream.rstCode).not.toBe(0);
  expect(session.closed).toBe(false);
  server.removeAllListeners("stream");
  server.on("stream", (next: ServerHttp2Stream) => {
    next.respond({ ":status": 204 });
    next.end();
  });
  const again = session.request({ ":path": "/again" });
  again.end();
  const [headers] = await deadline(once(again, "response"), WAIT_MS, "an answer");
  expect(headers[":status"]).toBe(204);
  session.destroy();
  server.close();
});
