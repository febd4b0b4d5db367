import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { ProxyError } from "../../core/errors.ts";
import { isDeeperThan } from "./json-text.ts";

/** Deep enough for any real request; recursive readers of deeper values overflow their stack. */
export const MAX_JSON_DEPTH = 64;

/** Gates in the order of the contract: size, content type, UTF-8, depth, JSON. */
export async function readJson(incoming: IncomingMessage, maxBytes: number): Promise<unknown> {
  return parseJson(await readBody(incoming, maxBytes));
}

/** What a body will take, before it is read: as announced, or the most it may be. */
export function expectedBytes({ headers }: IncomingMessage, maxBytes: number): number {
  return Math.min(Number(headers["content-length"] ?? maxBytes), maxBytes);
}

/** `anyType`: clients of older APIs never said what they send. */
export function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  anyType = false,
): Promise<Buffer> {
  refuseLargeOrForeign(incoming, maxBytes, anyType);
  return readBytes(incoming, maxBytes);
}

export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new ProxyError("body_not_utf8");
  if (isDeeperThan(MAX_JSON_DEPTH, bytes)) {
    throw new ProxyError("body_too_deep", { params: { max: MAX_JSON_DEPTH } });
  }
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    throw new ProxyError("body_not_json", { cause });
  }
}

function refuseLargeOrForeign(
  { headers }: IncomingMessage,
  maxBytes: number,
  anyType: boolean,
): void {
  if (Number(headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if ((!anyType && !isJson(headers["content-type"])) || encoding !== "identity") {
    throw new ProxyError("content_type_unsupported", { params: { expected: "application/json" } });
  }
}

/** application/json or another +json, in UTF-8. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === "application/json") return true;
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  if (!/^application\/([\w.-]+\+)?json$/.test(type.trim())) return false;
  return parameters.every((one) => !/^\s*charset\s*=/.test(one) || /=\s*"?utf-?8"?\s*$/.test(one));
}

/** Reads on its own, since a body read through a web Request is copied once more. */
function readBytes(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = () => {
      incoming.off("data", onData);
      incoming.off("end", onEnd);
      incoming.off("error", onBreak);
      incoming.off("close", onBreak);
    };
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= maxBytes) return;
      stop();
      reject(tooLarge(maxBytes));
    };
    const onEnd = () => {
      stop();
      resolve(joined(chunks));
    };
    const onBreak = () => {
      stop();
      reject(new ProxyError("body_incomplete"));
    };
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
