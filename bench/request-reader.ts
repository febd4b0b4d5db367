export interface ReadRequest {
  /** `POST /v1/chat/completions HTTP/1.1` */
  readonly line: string;
  readonly body: Buffer;
}

interface Parsed {
  readonly request: ReadRequest;
  readonly endBytes: number;
}

type Step = Parsed | { readonly needBytes: number };

// A body of 1 MB plus its head and chunk sizes fits; more than that is a broken client.
const HELD_BYTES_MAX = 2 * 1024 * 1024;
const HEAD_END = "\r\n\r\n";
const LINE_END = "\r\n";

/**
 * Reads HTTP/1.1 requests off one connection, by length or chunked, and throws a RangeError on
 * anything else. node:http would cost the upstream several times as much per call, and the two
 * cores are shared with what is measured.
 */
export function createRequestReader(
  onRequest: (request: ReadRequest) => void,
): (piece: Buffer) => void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let needBytes = 1;

  function hold(rest: Buffer, wantedBytes: number): void {
    held = rest.length > 0 ? [rest] : [];
    heldBytes = rest.length;
    needBytes = wantedBytes;
  }

  return function read(piece) {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes > HELD_BYTES_MAX) throw new RangeError("request too large");
    // Each turn either takes a request off what is held or asks for more than is held.
    while (heldBytes >= needBytes) {
      const bytes = joined(held, heldBytes);
      const step = parseRequest(bytes);
      if ("needBytes" in step) {
        hold(bytes, step.needBytes);
      } else {
        hold(bytes.subarray(step.endBytes), 1);
        onRequest(step.request);
      }
    }
  };
}

function joined(pieces: readonly Buffer[], bytes: number): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first ? first : Buffer.concat(pieces, bytes);
}

function parseRequest(bytes: Buffer): Step {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return { needBytes: bytes.length + 1 };
  const head = bytes.toString("latin1", 0, headEnd);
  const [line = ""] = head.split(LINE_END, 1);
  const start = headEnd + HEAD_END.length;
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return parseChunks(bytes, start, line);

  const endBytes = start + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  if (endBytes > bytes.length) return { needBytes: endBytes };
  return { request: { line, body: bytes.subarray(start, endBytes) }, endBytes };
}

function parseChunks(bytes: Buffer, start: number, line: string): Step {
  const chunks: Buffer[] = [];
  let at = start;
  // Each turn passes at least the five bytes of an empty chunk, so `bytes` bounds the loop.
  for (;;) {
    const sizeEnd = bytes.indexOf(LINE_END, at);
    if (sizeEnd < 0) return { needBytes: bytes.length + 1 };
    const size = Number.parseInt(bytes.toString("latin1", at, sizeEnd), 16);
    if (!(size >= 0)) throw new RangeError("bad chunk size");
    const chunkStart = sizeEnd + LINE_END.length;
    const next = chunkStart + size + LINE_END.length;
    if (next > bytes.length) return { needBytes: next };
    if (size === 0) return { request: { line, body: Buffer.concat(chunks) }, endBytes: next };
    chunks.push(bytes.subarray(chunkStart, chunkStart + size));
    at = next;
  }
}
