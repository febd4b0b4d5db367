import { PassedTokens } from "../../core/call/passed-tokens.ts";
import { IMAGE_TOKENS } from "../../core/call/reserved-tokens.ts";
import { isObject } from "../reading/json.ts";
import { fieldsOf, type JsonFields } from "./fields.ts";

/** What a service adds to each message, and to each tool. */
const TOKENS_BESIDE = 4;
/** A page of a PDF is about 2,000 tokens; few pages have less than this in base64. */
const DOCUMENT_CHARACTERS_PER_TOKEN = 16;

/** Estimates the tokens of Anthropic's request: its text, and what is no text by its usual size. */
export function estimatedTokens({ system, messages, tools }: JsonFields): number {
  const text = new PassedTokens();
  const others = [system, messages, tools].reduce<number>((sum, one) => sum + count(one, text), 0);
  return text.tokens + others;
}

/** Adds texts to `passed`; returns the tokens of all else. Bodies are not deep. */
function count(value: unknown, passed: PassedTokens): number {
  if (typeof value === "string") {
    for (let at = 0; at < value.length; at += 1) passed.count(value.charCodeAt(at));
    return 0;
  }
  if (!isObject(value)) return 0;
  const binary = binaryTokens(fieldsOf(value));
  if (binary !== null) return binary;
  const inner: readonly unknown[] = Object.values(value);
  const isItem = "role" in value || "input_schema" in value;
  return inner.reduce<number>((sum, one) => sum + count(one, passed), isItem ? TOKENS_BESIDE : 0);
}

function binaryTokens({ type, source }: JsonFields): number | null {
  if (type === "image") return IMAGE_TOKENS;
  const { type: form, data } = fieldsOf(source);
  if (type !== "document" || form !== "base64" || typeof data !== "string") return null;
  return Math.ceil(data.length / DOCUMENT_CHARACTERS_PER_TOKEN);
}
