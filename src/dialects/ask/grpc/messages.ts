import { fileURLToPath } from "node:url";
import type { MethodDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import type { Turn } from "../../../core/conversations/dialogue.ts";
import { writeTurn } from "../wire.ts";

export const CHAT_SERVICE = "chat.Chat";
export const ASK_PATH = "/chat.Chat/Ask";

/** A request as it came: the fields are null where the bytes are no askrequest. */
export interface AskMessage {
  readonly bytes: number;
  readonly fields: object | null;
}

/** An askresponse; ask.proto says what its fields mean. */
export interface AskResponse {
  readonly response: string;
  readonly conversation_id?: string;
  readonly parent_id?: string;
  readonly model?: string;
  readonly usage?: object;
  readonly finish_reason?: string;
  readonly omitted?: number;
}

export interface AskDefinition {
  /** Everything in ask.proto, for reflection. */
  readonly definition: PackageDefinition;
  readonly service: { readonly Ask: MethodDefinition<AskMessage, AskResponse> };
}

export function loadAsk(): AskDefinition {
  const path = fileURLToPath(new URL("ask.proto", import.meta.url));
  const definition = loadSync(path, { keepCase: true, defaults: true, longs: Number });
  // the loader types what it has read by kind only; the names are in the file beside this one
  const { Ask } = definition[CHAT_SERVICE] as unknown as {
    readonly Ask: MethodDefinition<object, AskResponse>;
  };
  const requestDeserialize = (bytes: Buffer) => read(bytes, Ask.requestDeserialize);
  // only a client would serialize a request
  const requestSerialize = () => Buffer.alloc(0);
  return { definition, service: { Ask: { ...Ask, requestSerialize, requestDeserialize } } };
}

/** What the decoder throws would be sent as an internal error, without anything of ours beside it. */
function read(bytes: Buffer, decode: (bytes: Buffer) => object): AskMessage {
  try {
    return { bytes: bytes.length, fields: decode(bytes) };
  } catch {
    return { bytes: bytes.length, fields: null };
  }
}

/** A larger message would wait for a slow reader as a whole, as text and as bytes. */
const MAX_PIECE_CHARACTERS = 16_384;

/** A delta as messages, usually one. What is half a character is none in UTF-8. */
export function* piecesOf(delta: string): Generator<AskResponse> {
  const text = delta.toWellFormed();
  let start = 0;
  while (start < text.length) {
    const end = start + MAX_PIECE_CHARACTERS;
    const cut = isFirstHalf(text.charCodeAt(end - 1)) ? end + 1 : end;
    yield { response: text.slice(start, cut) };
    start = cut;
  }
}

function isFirstHalf(codeUnit: number): boolean {
  return codeUnit >= 0xd800 && codeUnit <= 0xdbff;
}

export function lastOf(turn: Turn, asked: string): AskResponse {
  const { message: _sent, usage, finish_reason, ...rest } = writeTurn(turn, asked);
  return {
    ...rest,
    response: `<|end|>$${rest.conversation_id}$${rest.parent_id}`,
    ...(usage === null ? {} : { usage }),
    ...(finish_reason === null ? {} : { finish_reason }),
  };
}
