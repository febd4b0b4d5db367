/** Requests over gRPC that libraries may send: compressed, with large or binary metadata. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { startGrpc } from "../../support/grpc.ts";
import {
  framed,
  openAsk,
  openSession,
  rawCall,
  rawFrame,
  requestOf,
  statusOf,
  throwBytes,
} from "../../support/grpc-raw.ts";
import { OWN_KEY } from "../../support/scene.ts";

const OK = "grpc 0";
const TOO_LARGE = "grpc 8";

/** A message that says that it is compressed. */
function packed(message: Uint8Array): Buffer {
  const frame = framed(gzipSync(message));
  frame.writeUInt8(1, 0);
  return frame;
}

const gzip = { "grpc-encoding": "gzip" };

test.each<[string, Record<string, string>, () => Buffer, string]>([
  ["a compressed message", gzip, () => packed(requestOf("hi")), OK],
  ["40 MB in a small message", gzip, () => packed(Buffer.alloc(40_000_000)), TOO_LARGE],
  ["metadata of 20 KB", { "x-large": "h".repeat(20_000) }, () => framed(requestOf("hi")), OK],
  ["binary metadata", { "x-trace-bin": "AP/+gA" }, () => framed(requestOf("hi")), OK],
])("%s", async (_, headers, bytes, told) => {
  const { parley, upstream } = await startGrpc();
  const session = await openSession(parley.ports.grpc ?? 0);
  const stream = openAsk(session, headers);
  stream.end(bytes());
  expect(await statusOf(stream)).toBe(told);
  expect(upstream.requests).toHaveLength(told === OK ? 1 : 0);
  session.close();
});

test("a client may ping all the while", async () => {
  const { parley } = await startGrpc();
  const session = await openSession(parley.ports.grpc ?? 0);
  const stream = openAsk(session);
  for (let pings = 0; pings < 30; pings += 1) {
    await new Promise((resolve) => session.ping(resolve));
  }
  stream.end(framed(requestOf("hi")));
  expect(await statusOf(stream)).toBe(OK);
  session.close();
});

test("of two authorizations the first counts", async () => {
  const { parley, upstream } = await startGrpc();
  const call = rawCall([
    ["authorization", `Bearer ${OWN_KEY}`],
    ["authorization", "Bearer sk-second-0123456789"],
  ]);
  const bytes = Buffer.concat([call, rawFrame("data", framed(requestOf("hi")), { ends: true })]);
  const socket = await throwBytes(parley.ports.grpc ?? 0, bytes);
  const asked = { label: "asked", timeoutMs: 5_000 };
  await upstream.waitFor(() => upstream.requests.length === 1, asked);
  expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
  socket.destroy();
});
