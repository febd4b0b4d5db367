import type { Content } from "../../core/call/messages.ts";
import type { SecretBox } from "../accounts/secret-box.ts";
import { isStorable } from "../driver/text.ts";

/** A content on its way into a row, measured before it is sealed. */
export interface Encoded {
  readonly payload: string;
  readonly bytes: number;
  readonly characters: number;
}

/** Writes contents as text that both databases give back as it was, sealed if that is wanted. */
export interface ContentCodec {
  /** `context` names the place of the text: sealed, it opens nowhere else. */
  write(payload: string, context: string): string;
  /** Of what is not sealed no context is made: two for each turn of a history. */
  read(stored: string, context: () => string): Content;
  readText(stored: string, context: string): string;
}

/** The first character of what is stored, so that a row says by itself how to read it. */
const plainText = "t";
const json = "j";
const sealed = "s";

/** NUL and half surrogate pairs, which Postgres refuses, survive as the escapes of JSON. */
export function encode(content: Content): Encoded {
  const payload =
    typeof content === "string" && isStorable(content)
      ? plainText + content
      : json + JSON.stringify(content);
  return { payload, bytes: Buffer.byteLength(payload) - 1, characters: payload.length - 1 };
}

export function createContentCodec(box: SecretBox, seals: boolean): ContentCodec {
  const read = (stored: string, context: () => string): Content =>
    decode(stored.startsWith(sealed) ? box.open(stored.slice(1), context()) : stored);
  return {
    write: (payload, context) => (seals ? sealed + box.seal(payload, context) : payload),
    read,
    readText: (stored, context) => {
      const content = read(stored, () => context);
      if (typeof content === "string") return content;
      throw new TypeError("a stored text has parts");
    },
  };
}

function decode(payload: string): Content {
  const text = payload.slice(1);
  if (payload.startsWith(plainText)) return text;
  if (!payload.startsWith(json)) throw new TypeError("a stored text has an unknown form");
  // Written by encode.
  return JSON.parse(text) as Content;
}
