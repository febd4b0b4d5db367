/** gRPC below its library: frames on an HTTP/2 stream, and bytes that are none. */
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { createConnection, type Socket } from "node:net";
import { deadline } from "./http.ts";

const WAIT_MS = 10_000;

/** The bytes of a request with this prompt; for texts below 128 bytes. */
export const requestOf = (prompt: string): Buffer => {
  const text = Buffer.from(prompt);
  return Buffer.concat([Buffer.from([0x0a, text.length]), text]);
};

/** A message with its length before it. */
export function framed(message: Uint8Array, announced = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(announced, 1);
  return Buffer.concat([head, message]);
}

export async function openSession(
  port: number,
  localAddress = "127.0.0.1",
): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, {
    createConnection: () => createConnection({ port, host: "127.0.0.1", localAddress }),
  });
  session.on("error", () => undefined);
  await deadline(once(session, "connect"), WAIT_MS, "connected");
  return session;
}

export function openAsk(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": "/chat.Chat/Ask",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => undefined);
  return stream;
}

/** The status that a stream ends with: of gRPC where there is one, else of HTTP, else how it was reset. */
export async function statusOf(stream: ClientHttp2Stream): Promise<string> {
  let told = "";
  const note = (headers: Readonly<Record<string, unknown>>) => {
    const found = headers["grpc-status"];
    if (found !== undefined) told = `grpc ${found}`;
    else if (told === "" && headers[":status"] !== 200) told = `http ${headers[":status"]}`;
  };
  stream.on("response", note);
  stream.on("trailers", note);
  stream.resume();
  const closed = new Promise((resolve) => stream.once("close", resolve)); // `once` rejects with resets
  await deadline(closed, WAIT_MS, "the stream is closed");
  return told === "" ? `reset ${stream.rstCode}` : told;
}

/** Writes these bytes and lets what comes back lie. */
export async function throwBytes(port: number, bytes: Uint8Array): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await deadline(once(socket, "connect"), WAIT_MS, "connected");
  socket.write(bytes);
  return socket;
}

export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const SETTINGS: Buffer = Buffer.from("000000040000000000", "hex");

/** A frame of the first stream. */
export function rawFrame(
  type: "data" | "headers",
  payload: Uint8Array,
  { ends = false } = {},
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.set(type === "headers" ? [1, 4] : [0, ends ? 1 : 0], 3);
  head.writeUInt32BE(1, 5);
  return Buffer.concat([head, payload]);
}

/** The beginning of a connection and of its first call, with headers that no client would send. */
export function rawCall(headers: readonly (readonly [name: string, value: string])[] = []): Buffer {
  const usual = [
    [":method", "POST"],
    [":scheme", "http"],
    [":authority", "x"],
    [":path", "/chat.Chat/Ask"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ] as const;
  // written out, without compression: texts are shorter than 127 bytes
  const text = (part: string) => Buffer.concat([Buffer.of(part.length), Buffer.from(part)]);
  const pairs = [...usual, ...headers].map(([name, value]) =>
    Buffer.concat([Buffer.of(0), text(name), text(value)]),
  );
  return Buffer.concat([PREFACE, SETTINGS, rawFrame("headers", Buffer.concat(pairs))]);
}
