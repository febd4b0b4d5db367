import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { AppContext } from "../../http/call/request-context.ts";
import { acceptsCoding } from "../../http/reply/content-coding.ts";
import {
  type ResponseHeaders,
  respond,
  responseHeaders,
} from "../../http/reply/response-headers.ts";

const compress = promisify(gzip);

/** Bytes that never change while the process runs, with what a cache needs. */
export interface CachedFile {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly zipped: Uint8Array;
  /** Weak: the same for plain and compressed bytes. */
  readonly etag: string;
}

export async function createCachedFile(bytes: Uint8Array, type: string): Promise<CachedFile> {
  const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { type, bytes, zipped: await compress(bytes), etag };
}

/** Calls `make` once, at the first use, and again only if it failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((thrown: unknown) => {
      made = null;
      throw thrown;
    });
    return made;
  };
}

/** Sends the file, compressed if the client reads gzip, or 304 if it has it. Always English. */
export function respondCached(
  c: AppContext,
  { type, bytes, zipped, etag }: CachedFile,
  more: ResponseHeaders,
): Response {
  const { headers: asked } = c.env.incoming;
  const headers = {
    ...responseHeaders(c.env.context, type),
    "content-language": "en",
    vary: "Accept-Encoding",
    etag,
    ...more,
  };
  if (isAmong(etag, asked["if-none-match"])) return c.body(null, 304, headers);
  if (!acceptsCoding("gzip", asked["accept-encoding"])) return respond(200, bytes, headers);
  return respond(200, zipped, { ...headers, "content-encoding": "gzip" });
}

function isAmong(etag: string, list = ""): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  return list.split(",").some((tag) => tag.trim() === "*" || opaque(tag) === opaque(etag));
}
