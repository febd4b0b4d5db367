import type { RelayAccount } from "../core/ports.ts";
import { toUsage } from "./usage.ts";

/** Up to this size an answer is parsed whole; of a larger one (embeddings) only what is looked for. */
const PARSE_WHOLE_BYTES = 65_536;

/** What a whole answer says of itself; null when it isn't JSON, as far as that was looked at. */
export function scanJson(bytes: Buffer): RelayAccount | null {
  if (bytes.length <= PARSE_WHOLE_BYTES) {
    const value = parsed(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? accountOf(value) : null;
  }
  if (!/^\s*\{/.test(bytes.toString("latin1", 0, 64))) return null;
  const usage = objectAt(bytes, bytes.lastIndexOf('"usage"'));
  const id = /^\s*\{\s*"id"\s*:\s*"([^"\\]{1,200})"/.exec(bytes.toString("latin1", 0, 300))?.[1];
  const model = bytes.indexOf('"model"');
  const around = model === -1 ? "" : bytes.toString("utf8", model, model + 300);
  const name = /^"model"\s*:\s*"([^"\\]{0,200})"/.exec(around)?.[1] ?? null;
  return { model: name, usage: toUsage(parsed(usage)), upstreamId: id ?? null };
}

/** The account of one JSON object as text: an answer, or the data of an event. */
export function accountIn(text: string): RelayAccount {
  const value = parsed(text);
  return typeof value === "object" && value !== null ? accountOf(value) : NOTHING_KNOWN;
}

/** The type of an event as the responses API has it. */
export function typeIn(text: string): string | null {
  const value = parsed(text);
  return typeof value === "object" && value !== null ? stringIn(value, "type") : null;
}

function accountOf(value: object): RelayAccount {
  // events of the responses API carry the answer one level down
  const inner: unknown = Reflect.get(value, "response");
  const answer = typeof inner === "object" && inner !== null ? inner : value;
  return {
    model: stringIn(answer, "model"),
    usage: toUsage(Reflect.get(answer, "usage")),
    upstreamId: stringIn(answer, "id"),
  };
}

export const NOTHING_KNOWN: RelayAccount = { model: null, usage: null, upstreamId: null };

/** The text of the object that is the value of the key at `start`. */
function objectAt(bytes: Buffer, start: number): string {
  const open = start === -1 ? -1 : bytes.indexOf("{", start);
  if (open === -1) return "";
  let depth = 0;
  for (let index = open; index < bytes.length; index += 1) {
    if (bytes[index] === OPEN_BRACE) depth += 1;
    if (bytes[index] === CLOSE_BRACE) depth -= 1;
    if (depth === 0) return bytes.toString("utf8", open, index + 1);
  }
  return "";
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function stringIn(object: object, key: string): string | null {
  const value: unknown = Reflect.get(object, key);
  return typeof value === "string" ? value : null;
}
