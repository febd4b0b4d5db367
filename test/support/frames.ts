/** WebSocket on the wire, for clients that do it wrong. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { deadline } from "./http.ts";

const WAIT_MS = 10_000;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

export interface FrameOptions {
  readonly fin?: boolean;
  readonly masked?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  /** What the frame says its length is, in place of the payload's. */
  readonly length?: number | bigint;
  /** How many bytes the length is written in: the fewest that do, unless given. */
  readonly lengthBytes?: 1 | 2 | 8;
}

/** As a client sends it, with a mask of zeros. */
export function frame(
  opcode: number,
  payload: string | Uint8Array = "",
  options: FrameOptions = {},
): Buffer {
  const { fin = true, masked = true, reserved = 0 } = options;
  const bytes = Buffer.from(payload);
  const length = BigInt(options.length ?? bytes.length);
  const fewest = length < 65_536n ? 2 : 8;
  const lengthBytes = options.lengthBytes ?? (length < 126n ? 1 : fewest);
  const head = Buffer.alloc(2 + (lengthBytes === 1 ? 0 : lengthBytes) + (masked ? 4 : 0));
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const short = { 1: Number(length), 2: 126, 8: 127 }[lengthBytes];
  head[1] = (masked ? 0x80 : 0) | short;
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2);
  return Buffer.concat([head, bytes]);
}

export interface RawWebSocket {
  readonly socket: Socket;
  /** Payloads of the text frames so far. */
  readonly texts: readonly string[];
  /** The code of the server's close frame once the connection is gone; null when there was none. */
  gone(): Promise<number | null>;
}

/**
 * A connection after its handshake; it reads on, until told otherwise, and answers nothing. With
 * `allowHalfOpen` it also stays when the server ends.
 */
interface RawOptions {
  readonly allowHalfOpen?: boolean;
  /** A close is answered at once; who doesn't is waited for by the server. */
  readonly answersClose?: boolean;
}

export async function connectRaw(
  port: number,
  headers: readonly string[] = [],
  { allowHalfOpen = false, answersClose = false }: RawOptions = {},
): Promise<RawWebSocket> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen });
  socket.on("error", () => undefined);
  const lines = [
    "GET /ask HTTP/1.1",
    "Host: x",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${KEY}`,
    ...headers,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const [answer] = (await deadline(once(socket, "data"), WAIT_MS, "the handshake")) as [Buffer];
  const headEnd = answer.indexOf("\r\n\r\n") + 4;
  if (!answer.toString("latin1").startsWith("HTTP/1.1 101 ")) {
    throw new Error(`refused: ${answer.toString("latin1")}`);
  }
  const texts: string[] = [];
  let code: number | null = null;
  let rest = answer.subarray(headEnd);
  const readAll = () => {
    for (let read = readFrame(rest); read !== null; read = readFrame(rest)) {
      if (read.opcode === OPCODE.text) texts.push(read.payload.toString("utf8"));
      if (read.opcode === OPCODE.close) {
        code ??= codeIn(read.payload);
        if (answersClose) socket.write(frame(OPCODE.close, read.payload));
      }
      rest = rest.subarray(read.size);
    }
  };
  socket.on("data", (piece: Buffer) => {
    rest = Buffer.concat([rest, piece]);
    readAll();
  });
  const gone = new Promise<number | null>((resolve) => socket.once("close", () => resolve(code)));
  return { socket, texts, gone: () => deadline(gone, 4 * WAIT_MS, "the connection is gone") };
}

function codeIn(payload: Buffer): number {
  return payload.length < 2 ? 1_005 : payload.readUInt16BE(0);
}

/** The first frame of what a server sent, or null while it is not all there. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | null {
  if (bytes.length < 2) return null;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const headSize = { 126: 4, 127: 10 }[short] ?? 2;
  if (bytes.length < headSize) return null;
  let length = short;
  if (short === 126) length = bytes.readUInt16BE(2);
  if (short === 127) length = Number(bytes.readBigUInt64BE(2));
  const size = headSize + length;
  if (bytes.length < size) return null;
  return { opcode: first & 0x0f, payload: bytes.subarray(headSize, size), size };
}
