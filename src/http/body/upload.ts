import type { IncomingMessage } from "node:http";
import { ProxyError } from "../../core/errors.ts";
import type { Upload } from "../../core/upstream-ports.ts";

const MULTIPART = "multipart/form-data";

/** A form with files, to be passed on as it arrives: nothing of it is kept here. */
export function openUpload(incoming: IncomingMessage, maxBytes: number): Upload {
  const { headers } = incoming;
  const length = headers["content-length"];
  const contentLength = length === undefined ? null : Number(length);
  if (contentLength !== null && contentLength > maxBytes) throw tooLarge(maxBytes);
  const { "content-type": contentType = "" } = headers;
  if (!isForm(contentType)) {
    throw new ProxyError("content_type_unsupported", { params: { expected: MULTIPART } });
  }
  return { contentType, contentLength, pieces: piecesOf(incoming, maxBytes) };
}

export function isForm(contentType = ""): boolean {
  const [type = ""] = contentType.toLowerCase().split(";", 1);
  return type.trim() === MULTIPART;
}

/** The connection stays open when the reader stops early: its refusal has to be sent. */
async function* piecesOf(incoming: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  const pieces: AsyncIterable<Buffer> = incoming.iterator({ destroyOnReturn: false });
  try {
    for await (const piece of pieces) {
      size += piece.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      yield piece;
    }
  } catch (thrown) {
    if (thrown instanceof ProxyError) throw thrown;
    throw new ProxyError("body_incomplete", { cause: thrown });
  }
}

function tooLarge(maxBytes: number): ProxyError {
  return new ProxyError("body_too_large", { params: { max: maxBytes } });
}
