import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { AppContext } from "../../http/call/request-context.ts";
import { answer, responseHeaders } from "../../http/reply/response-headers.ts";

const compress = promisify(gzip);

/** Bytes that stay what they are as long as the process runs, with what a cache needs. */
export interface Kept {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly zipped: Uint8Array | null;
  /** Weak: the same for both. */
  readonly etag: string;
}

/** `zips`: whether it is any smaller compressed. */
export async function keep(bytes: Uint8Array, type: string, zips = true): Promise<Kept> {
  const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { type, bytes, zipped: zips ? await compress(bytes) : null, etag };
}

/** Made when it is first asked for and never again, unless that failed. */
export function onDemand<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((thrown: unknown) => {
      made = null;
      throw thrown;
    });
    return made;
  };
}

/** The bytes, smaller for who can read that, or 304 for who has them. English in any case. */
export function answerKept(
  c: AppContext,
  { type, bytes, zipped, etag }: Kept,
  own: Readonly<Record<string, string>>,
): Response {
  const { headers: asked } = c.env.incoming;
  const headers = {
    ...responseHeaders(c.env.context, type),
    "content-language": "en",
    vary: "Accept-Encoding",
    etag,
    ...own,
  };
  if (isAmong(etag, asked["if-none-match"])) return c.body(null, 304, headers);
  if (zipped === null || !takesGzip(asked["accept-encoding"])) return answer(200, bytes, headers);
  return answer(200, zipped, { ...headers, "content-encoding": "gzip" });
}

function isAmong(etag: string, list = ""): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  return list.split(",").some((tag) => tag.trim() === "*" || opaque(tag) === opaque(etag));
}

function takesGzip(acceptEncoding: string | string[] = ""): boolean {
  const codings = String(acceptEncoding).toLowerCase().split(",");
  return codings.some((coding) => {
    const [name = "", ...parameters] = coding.split(";").map((part) => part.trim());
    return name === "gzip" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
