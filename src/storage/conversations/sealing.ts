import { createHmac } from "node:crypto";
import type { Content } from "../../core/call/messages.ts";
import { type ConversationLimits, checkMessageBytes } from "../../core/conversations/turn-rules.ts";
import { ProxyError } from "../../core/errors.ts";
import { wellFormedJson, withoutHalves } from "../../core/well-formed.ts";
import {
  createSecretBox,
  deriveBytes,
  type SecretBox,
  type SecretKeys,
} from "../accounts/secret-box.ts";
import { isStorable } from "../driver/driver.ts";

/** How the texts of conversations are stored. */
export interface Sealing {
  readonly codec: ContentCodec;
  /**
   * Every key under which a chat's name may be stored, always the same number: the first for new rows,
   * the others for rows from before a key or the choice to encrypt changed.
   */
  readonly nameKeys: (owner: string, name: string) => readonly [string, ...string[]];
}

/** Texts are sealed if there is a SECRET_KEY, unless chosen otherwise; throws if there must be one. */
export function createSealing(keys: SecretKeys, seals = keys.current !== null): Sealing {
  if (seals && keys.current === null) {
    throw new Error("conversations can only be encrypted with a SECRET_KEY");
  }
  return {
    codec: createContentCodec(createSecretBox(keys, "conversation text"), seals),
    nameKeys: createNameKeys(keys, seals),
  };
}

/** Writes contents as text that both databases return unchanged, sealed if wanted. */
export interface ContentCodec {
  /** `context` names the place of the text: a sealed text opens nowhere else. */
  write(payload: string, context: string): string;
  /** The context is built for sealed texts only, since a history needs two per turn. */
  read(stored: string, context: () => string): Content;
  readText(stored: string, context: string): string;
  /** A sealed text, sealed with the newest key; null if it is not sealed, or by that key already. */
  reseal(stored: string, context: string): string | null;
}

/** The first character of a stored text says how to read it. */
const PLAIN = "t";
const JSON_TEXT = "j";
const SEALED = "s";

/**
 * A content as it is stored or sealed, and its size. NUL, which Postgres refuses, becomes JSON's escape,
 * and half a surrogate pair U+FFFD. With limits, throws if it is larger than a message may be.
 */
export function encode(content: Content, limits?: ConversationLimits) {
  const payload =
    typeof content === "string" && isStorable(content)
      ? PLAIN + content
      : JSON_TEXT + wellFormedJson(content);
  const bytes = Buffer.byteLength(payload) - 1;
  if (limits !== undefined) checkMessageBytes(bytes, limits);
  return { payload, bytes, characters: payload.length - 1 };
}

function createContentCodec(box: SecretBox, seals: boolean): ContentCodec {
  const read = (stored: string, context: () => string): Content =>
    decode(stored.startsWith(SEALED) ? box.open(stored.slice(1), context()) : stored);
  return {
    write: (payload, context) => (seals ? SEALED + box.seal(payload, context) : payload),
    read,
    readText: (stored, context) => {
      const content = read(stored, () => context);
      if (typeof content === "string") return content;
      throw new TypeError("a stored text has parts");
    },
    reseal: (stored, context) => {
      if (!stored.startsWith(SEALED) || box.isCurrent(stored.slice(1))) return null;
      return SEALED + box.seal(box.open(stored.slice(1), context), context);
    },
  };
}

function decode(payload: string): Content {
  const text = payload.slice(1);
  if (payload.startsWith(PLAIN)) return text;
  if (!payload.startsWith(JSON_TEXT)) throw new TypeError("a stored text has an unknown form");
  // Cast: written only by encode. Older versions kept halves of surrogate pairs.
  return JSON.parse(withoutHalves(text)) as Content;
}

/**
 * Clients name chats after people: user ids, phone numbers, addresses. Where content is sealed, a name
 * is sealed too and looked up by a keyed digest, which without SECRET_KEY can neither be guessed nor
 * compared between owners.
 */
function createNameKeys({ current, old }: SecretKeys, seals: boolean): Sealing["nameKeys"] {
  const secrets = current === null ? old : [current, ...old];
  const keys = secrets.map((secret) => deriveBytes(secret, "parley conversation names"));
  return (owner, name) => {
    const plain = `p:${name}`;
    const digests = keys.map((key) => nameDigest(key, owner, name));
    const [newest, ...others] = digests;
    return seals && newest !== undefined ? [newest, ...others, plain] : [plain, ...digests];
  };
}

/** A name can't contain NUL, so no two pairs read the same. */
function nameDigest(key: Buffer, owner: string, name: string): string {
  return `d:${createHmac("sha256", key).update(`${owner}\0${name}`).digest("base64url")}`;
}

const MAX_NAME_CHARACTERS = 200;

/** Why a chat can't have this name, or null. */
export function wrongName(name: string): ProxyError | null {
  const params = { field: "name", max: MAX_NAME_CHARACTERS };
  if (name === "") return new ProxyError("field_empty", { params });
  if (name.length > MAX_NAME_CHARACTERS) return new ProxyError("field_too_long", { params });
  return isStorable(name) ? null : new ProxyError("bad_request");
}
