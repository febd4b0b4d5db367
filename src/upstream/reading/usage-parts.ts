import { MAX_COUNTED_TOKENS } from "../../core/accounts/price.ts";
import type { PartName } from "../../core/accounts/price-fields.ts";
import type { Usage } from "../../core/call/messages.ts";
import { fieldOf, isObject } from "./json.ts";

/**
 * Tokens that may have a price of their own, or null if there are none. `asked` and `written` are what
 * the usage says in detail of the question and of the answer.
 */
export function partsIn(
  usage: object,
  asked: unknown,
  written: unknown,
  reasoning: number,
): NonNullable<Usage["parts"]> | null {
  const details = fieldsOf(asked);
  const { cache_creation_input_tokens, cache_creation } = fieldsOf(usage);
  const cacheWrite = positive(
    details.cache_write_tokens ?? details.cache_creation_tokens ?? cache_creation_input_tokens,
  );
  const audioInput = positive(details.audio_tokens);
  const audioOutput = positive(fieldsOf(written).audio_tokens);
  if (cacheWrite + audioInput + audioOutput + reasoning === 0) return null;
  const kept = positive(fieldOf(cache_creation, "ephemeral_1h_input_tokens"));
  const cacheWriteHour = Math.min(kept, cacheWrite);
  return {
    cacheWriteHour,
    cacheWrite: cacheWrite - cacheWriteHour,
    audioInput,
    audioOutput,
    reasoning,
  } satisfies Record<PartName, number>;
}

const NO_FIELDS: Readonly<Record<string, unknown>> = {};

/** Every answer is looked through, and plain access takes a tenth of the time of `fieldOf`. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? (value as Readonly<Record<string, unknown>>) : NO_FIELDS; // of any object
}

function positive(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value)) return 0;
  return value > 0 && value <= MAX_COUNTED_TOKENS ? value : 0;
}
