import type { IncomingMessage } from "node:http";
import { ProxyError } from "../../core/errors.ts";
import { parseJson } from "./parsed.ts";

/** Checks size, content type, UTF-8, depth and JSON, in the order of the contract. */
export async function readJson(incoming: IncomingMessage, maxBytes: number): Promise<unknown> {
  return parseJson(await readBody(incoming, { maxBytes }));
}

export interface BodyOptions {
  readonly maxBytes: number;
  /** Accepts every content type, for clients of older APIs that send none. */
  readonly anyType?: boolean;
  /** Called with what has arrived so far. Throws if there is no room for it. */
  readonly onArrived?: (bytes: number) => void;
}

export function readBody(incoming: IncomingMessage, options: BodyOptions): Promise<Buffer> {
  refuseLargeOrForeign(incoming, options);
  return readBytes(incoming, options);
}

function refuseLargeOrForeign(
  { headers }: IncomingMessage,
  { maxBytes, anyType = false }: BodyOptions,
): void {
  if (Number(headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (!anyType && !isJson(headers["content-type"])) {
    throw new ProxyError("content_type_unsupported", { params: { expected: "application/json" } });
  }
  if (encoding !== "identity") throw new ProxyError("content_encoding_unsupported");
}

/** application/json or another +json. Parameters mean nothing (RFC 8259): JSON is UTF-8, or refused. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === "application/json") return true;
  const [type = ""] = (contentType ?? "").toLowerCase().split(";", 1);
  return /^application\/([\w.-]+\+)?json$/.test(type.trim());
}

/** Reads the stream itself: a web Request would copy the body once more. */
function readBytes(
  incoming: IncomingMessage,
  { maxBytes, onArrived }: BodyOptions,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (done: () => void) => {
      incoming.off("data", onData);
      incoming.off("end", onEnd);
      incoming.off("error", onBreak);
      incoming.off("close", onBreak);
      done();
    };
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      try {
        if (size > maxBytes) throw tooLarge(maxBytes);
        onArrived?.(size);
      } catch (refusal) {
        settle(() => reject(refusal));
      }
    };
    const onEnd = () => settle(() => resolve(joined(chunks)));
    const onBreak = () => settle(() => reject(new ProxyError("body_incomplete")));
    incoming.on("data", onData);
    incoming.on("end", onEnd);
    incoming.on("error", onBreak);
    incoming.on("close", onBreak);
    if (incoming.destroyed) onBreak();
  });
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): ProxyError {
  return new ProxyError("body_too_large", { params: { max: maxBytes } });
}
