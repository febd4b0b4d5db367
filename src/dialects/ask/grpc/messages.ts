import { fileURLToPath } from "node:url";
import type { MethodDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { isFirstHalf } from "../../../core/call/whole-characters.ts";
import type { Turn } from "../../../core/conversations/turn.ts";
import { writeTurn } from "../wire.ts";

export const CHAT_SERVICE = "chat.Chat";
export const ASK_PATH = "/chat.Chat/Ask";

/** A request. Its fields are null if the bytes are not an askrequest. */
export interface AskMessage {
  readonly bytes: number;
  readonly fields: object | null;
}

/** An askresponse. ask.proto describes its fields. */
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
  /** All of ask.proto, for reflection. */
  readonly definition: PackageDefinition;
  readonly service: { readonly Ask: MethodDefinition<AskMessage, AskResponse> };
}

export function loadAsk(): AskDefinition {
  const path = fileURLToPath(new URL("ask.proto", import.meta.url));
  const definition = loadSync(path, { keepCase: true, defaults: true, longs: Number });
  // the loader's types don't know the names in ask.proto
  const { Ask } = definition[CHAT_SERVICE] as unknown as {
    readonly Ask: MethodDefinition<object, AskResponse>;
  };
  const requestDeserialize = (bytes: Buffer) => read(bytes, Ask.requestDeserialize);
  // only clients serialize requests
  const requestSerialize = () => Buffer.alloc(0);
  return { definition, service: { Ask: { ...Ask, requestSerialize, requestDeserialize } } };
}

/** Never throws: the library would send it as an internal error, without our metadata. */
function read(bytes: Buffer, decode: (bytes: Buffer) => object): AskMessage {
  try {
    return { bytes: bytes.length, fields: decode(bytes) };
  } catch {
    return { bytes: bytes.length, fields: null };
  }
}

/** A larger message would wait for a slow reader in memory, as text and as bytes. */
const MAX_PIECE_CHARACTERS = 16_384;

/** A delta as messages, usually one. No character is cut in two: UTF-8 can't hold a half. */
export function* piecesOf(text: string): Generator<AskResponse> {
  let start = 0;
  while (start < text.length) {
    const end = start + MAX_PIECE_CHARACTERS;
    const cut = isFirstHalf(text.charCodeAt(end - 1)) ? end + 1 : end;
    yield { response: text.slice(start, cut) };
    start = cut;
  }
}

export function lastOf(turn: Turn, model: string): AskResponse {
  const { message: _sent, usage, finish_reason, ...rest } = writeTurn(turn, model);
  return {
    ...rest,
    response: `<|end|>$${rest.conversation_id}$${rest.parent_id}`,
    ...(usage === null ? {} : { usage }),
    ...(finish_reason === null ? {} : { finish_reason }),
  };
}
