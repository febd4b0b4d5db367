import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";
import type { ResponseBody } from "./exchange.ts";

/** Read and unpacked of a refusal; what is beyond it says nothing more. */
const MAX_REFUSAL_BYTES = 65_536;
/** For its bytes to come: somebody waits, and another target may be asked. */
const MAX_REFUSAL_MS = 2_000;
/** `gzip, br` was packed twice; nobody does it more often. */
const MAX_ENCODINGS = 2;

type Unpack = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer;

const UNPACK: Readonly<Record<string, Unpack>> = {
  identity: (bytes) => bytes,
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  // with the header of zlib, or without it as some servers send it
  deflate: (bytes, options) =>
    isZlib(bytes) ? inflateSync(bytes, options) : inflateRawSync(bytes, options),
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/** The text of a refusal. Empty if it breaks, is late, is packed in an unknown way, or unpacks into too much. */
export async function readRefusalText(
  body: ResponseBody,
  encoding: string | null,
): Promise<string> {
  try {
    return String(unpacked(await beginning(body), encoding ?? "identity"));
  } catch {
    // the status is enough: a refusal whose text breaks is still that refusal
    return "";
  }
}

async function beginning(body: ResponseBody): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const late = setTimeout(() => void body.return?.(), MAX_REFUSAL_MS);
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_REFUSAL_BYTES) break;
    }
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks).subarray(0, MAX_REFUSAL_BYTES);
}

function unpacked(bytes: Buffer, encoding: string): Buffer {
  const encodings = encoding.toLowerCase().split(",", MAX_ENCODINGS);
  return encodings.reduceRight((packed, name) => {
    const unpack = UNPACK[name.trim()];
    if (unpack === undefined) throw new Error("an unknown encoding");
    return unpack(packed, { maxOutputLength: MAX_REFUSAL_BYTES });
  }, bytes);
}

/** By its first byte: the method, and how far back it looks. */
function isZlib(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0x0f) === 8;
}
