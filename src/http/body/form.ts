import type { IncomingMessage } from "node:http";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { fieldError } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import { openUpload } from "./upload.ts";

/** Far more than any endpoint takes. */
const MAX_PARTS = 200;
const MAX_FIELD_BYTES = 262_144;
const MAX_HEADER_BYTES = 8_192;
const MAX_HEADERS = 20;

/** A field, or a file. */
export interface FormPart {
  /** Empty if it has none. */
  readonly name: string;
  readonly pieces: readonly Buffer[];
  /** Null: it is a field. */
  readonly file: { readonly name: string; readonly contentType: string } | null;
}

export interface FormOptions {
  readonly maxBytes: number;
  /** Called with what has arrived so far. Throws if there is no room for it. */
  readonly onArrived: (bytes: number) => void;
}

/** Reads a form whole: clients send its fields before its files or after them. */
export async function readForm(
  incoming: IncomingMessage,
  { maxBytes, onArrived }: FormOptions,
): Promise<readonly FormPart[]> {
  const { contentType, pieces } = openUpload(incoming, maxBytes);
  const parts: FormPart[] = [];
  const parser = createParser(contentType);
  const ended = collect(parser, parts);
  // what it rejects with is thrown below
  ended.catch(() => undefined);
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    onArrived(size);
    await Promise.race([ended, written(parser, piece)]);
  }
  parser.end();
  await ended;
  return parts;
}

function createParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { "content-type": contentType },
      preservePath: true,
      limits: {
        parts: MAX_PARTS,
        fieldSize: MAX_FIELD_BYTES,
        headerSize: MAX_HEADER_BYTES,
        headerPairs: MAX_HEADERS,
      },
    });
  } catch (cause) {
    // without a boundary
    throw new ProxyError("bad_request", { cause });
  }
}

function written(parser: BusboyInstance, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    parser.write(piece, () => resolve());
  });
}

/** A part may have none, though the parser's types say otherwise. */
function nameOf(given: string | undefined): string {
  return given ?? "";
}

function collect(parser: BusboyInstance, parts: FormPart[]): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.on("file", (given, stream, fileName, _encoding, contentType) => {
      const name = nameOf(given);
      const pieces: Buffer[] = [];
      parts.push({ name, pieces, file: { name: fileName ?? "", contentType } });
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("error", () => reject(new ProxyError("bad_request")));
    });
    parser.on("field", (given, value, _isNameCut, isCut) => {
      const name = nameOf(given);
      if (isCut) reject(fieldError("field_too_long", name, { max: MAX_FIELD_BYTES }));
      parts.push({ name, pieces: [Buffer.from(value)], file: null });
    });
    parser.on("partsLimit", () => reject(new ProxyError("bad_request")));
    parser.on("error", (cause) => reject(new ProxyError("bad_request", { cause })));
    parser.on("finish", resolve);
  });
}

/** The text of a field; undefined if there is none. Throws if it is there twice, or is a file. */
export function formFieldIn(parts: readonly FormPart[], name: string): string | undefined {
  const [found, ...others] = parts.filter((part) => part.name === name);
  if (found === undefined) return undefined;
  if (others.length > 0) throw fieldError("field_repeated", name);
  if (found.file !== null) throw fieldError("field_type", name, { expected: "string" });
  return String(Buffer.concat(found.pieces));
}
