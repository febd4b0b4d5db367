/** A client that sends any bytes, keeps its connection and reads one answer at a time. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";

export interface RawReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface KeptConnection {
  /** Resolves with the answer; null where the connection was closed without one. */
  send(bytes: Uint8Array, isHead: boolean): Promise<RawReply | null>;
  close(): void;
}

const HEAD_END = "\r\n\r\n";

/** Connects on the first use, and anew when the server has closed. */
export function createKeptConnection(port: number): KeptConnection {
  let socket: Socket | null = null;

  const connected = async (): Promise<Socket> => {
    if (socket !== null && !socket.destroyed && socket.writable) return socket;
    const fresh = createConnection({ port, host: "127.0.0.1", noDelay: true });
    fresh.on("error", () => fresh.destroy());
    await once(fresh, "connect");
    socket = fresh;
    return fresh;
  };

  return {
    async send(bytes, isHead) {
      const used = await connected();
      const reply = await readReply(used, bytes, isHead);
      if (reply === null || /\bclose\b/i.test(reply.headers.get("connection") ?? ""))
        used.destroy();
      return reply;
    },
    close: () => socket?.destroy(),
  };
}

function readReply(socket: Socket, bytes: Uint8Array, isHead: boolean): Promise<RawReply | null> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const finish = (reply: RawReply | null) => {
      socket.off("data", onData);
      socket.off("close", onClose);
      resolve(reply);
    };
    const onData = (part: Buffer) => {
      received = received.length === 0 ? part : Buffer.concat([received, part]);
      const reply = parseReply(received, isHead);
      if (reply !== null) finish(reply);
    };
    const onClose = () => finish(null);
    socket.on("data", onData);
    socket.once("close", onClose);
    socket.write(bytes);
  });
}

/** Null while something is missing. */
function parseReply(received: Buffer, isHead: boolean): RawReply | null {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd === -1) return null;
  const [first = "", ...lines] = received.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  const rest = received.subarray(headEnd + HEAD_END.length);
  if (isHead || status === 204 || status === 304) return { status, headers, body: Buffer.alloc(0) };
  if (headers.get("transfer-encoding") === "chunked") {
    const body = unchunked(rest);
    return body === null ? null : { status, headers, body };
  }
  const length = Number(headers.get("content-length") ?? 0);
  return rest.length < length ? null : { status, headers, body: rest.subarray(0, length) };
}

/** Null while the last chunk is missing; what a text ends with may look like that. */
function unchunked(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = end;
  }
}
