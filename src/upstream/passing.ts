import { ProxyError } from "../core/errors.ts";
import type { PassingAnswer, RelayAccount, RelayPiece } from "../core/upstream-ports.ts";
import { headerOf } from "./ask.ts";
import type { ResponseBody, UpstreamResponse } from "./exchange.ts";
import { JsonPieces } from "./json-pieces.ts";
import type { Clean } from "./reading/blame.ts";

/** An answer that is not longer is held whole. */
const OPENING_BYTES = 65_536;
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

/**
 * Begins to read JSON that may pass. A large answer passes; a small one is returned whole. Null: read
 * it whole. It begins with an error, which has a status, and another key may do.
 */
export async function openJson(
  response: UpstreamResponse,
  maxBytes: number,
  clean: Clean,
): Promise<PassingAnswer | Buffer | null> {
  const { status, body } = response;
  const { opening, isWhole } = await openingOf(body);
  if (isWhole) return opening;
  const announced = lengthOf(response);
  if (announced !== null && announced > maxBytes) {
    void body.return?.();
    throw new ProxyError("upstream_bad_answer");
  }
  const start = withoutMark(opening);
  const contentLength = start.length === opening.length ? announced : null;
  const pieces = new JsonPieces(body, start, { clean, isAnnounced: contentLength !== null });
  if (pieces.isFailing) {
    body.unread(opening);
    return null;
  }
  const account = () => pieces.account;
  return {
    kind: "passing",
    status,
    contentType: "application/json",
    contentLength,
    pieces,
    account,
  };
}

const JSON_OR_EVENTS = /json|event-stream/i;

/** By its label. */
export function saysFile(response: UpstreamResponse): boolean {
  return !JSON_OR_EVENTS.test(headerOf(response, "content-type") ?? "");
}

/** What no browser takes for a page, or for a script: sound, subtitles and mere text. */
const HARMLESS =
  /^(?:audio\/[\w.+-]{1,40}|text\/(?:plain|vtt)|application\/x-subrip)(?=\s*(?:;|$))/i;

/**
 * Of any size: a slow client pauses the upstream. No browser may take it for a page of Parley's, so its
 * label is kept only if that can't be.
 */
export function passFile(response: UpstreamResponse, keepsType: boolean): PassingAnswer {
  const { status, body } = response;
  body.unbound();
  const [type = "application/octet-stream"] =
    (keepsType && HARMLESS.exec(headerOf(response, "content-type") ?? "")) || [];
  return {
    kind: "passing",
    status,
    contentType: type.startsWith("text/") ? `${type}; charset=utf-8` : type,
    contentLength: lengthOf(response),
    pieces: piecesOf(body),
    account: () => NOTHING_READ,
  };
}

const NOTHING_READ: RelayAccount = {
  usage: null,
  upstreamId: null,
  model: null,
  answerTokens: 0,
  reasoned: false,
  pending: false,
  cut: false,
};

async function* piecesOf(body: ResponseBody): AsyncGenerator<RelayPiece> {
  for await (const bytes of body) yield { bytes, last: false };
}

/** Reads a body to its end, or until it is known to be large: with one read of the socket on top. */
async function openingOf(body: ResponseBody): Promise<{ opening: Buffer; isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isWhole = false;
  while (length <= OPENING_BYTES && !isWhole) {
    const { done, value } = await body.next();
    isWhole = done === true;
    if (value === undefined) break;
    chunks.push(value);
    length += value.length;
  }
  const [first = Buffer.alloc(0)] = chunks;
  return { opening: chunks.length === 1 ? first : Buffer.concat(chunks), isWhole };
}

function lengthOf(response: UpstreamResponse): number | null {
  const length = headerOf(response, "content-length") ?? "";
  return /^\d+$/.test(length) ? Number(length) : null;
}

export function withoutMark(bytes: Buffer): Buffer {
  const start = bytes.toString("latin1", 0, BYTE_ORDER_MARK.length);
  return start === BYTE_ORDER_MARK ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
}
