import type { Socket } from "node:net";
import type { buildConnector } from "undici";

/** The head of a 100 Continue is a line or a few; a longer one is left to the parser. */
const MAX_INTERIM_BYTES = 8_192;
const INTERIM = Buffer.from("HTTP/1.1 100");
const MINOR_VERSION_AT = 7;
const HEAD_END = "\r\n\r\n";
const STALE = Symbol("stale");

/** Whether a connection that had served before ended without a byte in answer to its next request. */
export function isStale(error: object): boolean {
  return STALE in error;
}

/**
 * The same connector, with a watch on each connection for what undici doesn't do: it tells not whether
 * a connection that ended had been used before, and it fails at a 100 Continue that nobody asked for.
 */
export function watched(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      watch(socket);
      callback(null, socket);
    });
}

/** Runs before undici's own listeners, which come later. One check for each read and write. */
function watch(socket: Socket): void {
  const write = socket.write.bind(socket);
  const read = socket.read.bind(socket);
  let hasServed = false;
  /** A request is out, and no head of its answer has come; and whether anything has. */
  let isWaiting = false;
  let hasHeard = false;
  let held: Buffer | null = null;

  socket.write = ((...given: Parameters<typeof write>) => {
    if (!isWaiting) hasHeard = false;
    isWaiting = true;
    return write(...given);
  }) as typeof socket.write; // the overloads differ in what they leave out
  socket.read = (size?: number): Buffer | null => {
    const chunk: Buffer | null = read(size);
    if (chunk === null || !isWaiting) return chunk;
    hasHeard = true;
    const bytes = held === null ? chunk : Buffer.concat([held, chunk]);
    const answer = withoutInterim(bytes);
    held = answer === null ? bytes : null;
    if (answer === null || answer.length === 0) return null;
    isWaiting = false;
    hasServed = true;
    return answer;
  };
  const isStaleNow = () => isWaiting && hasServed && !hasHeard;
  socket.on("end", () => {
    if (isStaleNow()) socket.destroy(Object.assign(new Error("stale"), { [STALE]: true }));
  });
  socket.on("error", (error) => {
    if (isStaleNow()) Object.assign(error, { [STALE]: true });
  });
}

/** The bytes after every 100 Continue at their beginning; null if more are needed to tell. */
function withoutInterim(bytes: Buffer): Buffer | null {
  let rest = bytes;
  while (beginsInterim(rest)) {
    const end = rest.indexOf(HEAD_END);
    if (end === -1) return rest.length > MAX_INTERIM_BYTES ? rest : null;
    rest = rest.subarray(end + HEAD_END.length);
  }
  return rest;
}

/** Or may do so: what has come is its beginning. */
function beginsInterim(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, INTERIM.length);
  for (let at = 0; at < length; at += 1) {
    if (bytes[at] !== INTERIM[at] && at !== MINOR_VERSION_AT) return false;
  }
  return length > 0;
}
