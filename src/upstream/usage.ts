import type { CompletionUsage } from "openai/resources/completions";
import type { ResponseUsage } from "openai/resources/responses/responses";
import { MAX_COUNTED_TOKENS } from "../core/accounts/price.ts";
import type { Usage } from "../core/call/messages.ts";

type Loose<T> = { [K in keyof T]?: Loose<T[K]> | null };

/**
 * Token counts as chat and completions (`prompt_tokens`) or responses (`input_tokens`) spell them.
 * Null where they are missing or can't be true.
 */
export function toUsage(value: unknown): Usage | null {
  if (typeof value !== "object" || value === null) return null;
  const usage = value as Loose<CompletionUsage> & Loose<ResponseUsage>; // fields are checked below
  const promptTokens = count(usage.prompt_tokens ?? usage.input_tokens);
  const completionTokens = count(usage.completion_tokens ?? usage.output_tokens ?? 0);
  if (promptTokens === null || completionTokens === null) return null;
  const details = usage.prompt_tokens_details ?? usage.input_tokens_details;
  return {
    promptTokens,
    completionTokens,
    totalTokens: count(usage.total_tokens) ?? promptTokens + completionTokens,
    cachedTokens: count(details?.cached_tokens),
  };
}

function count(value: unknown): number | null {
  const number = typeof value === "number" && Number.isInteger(value) ? value : -1;
  return number >= 0 && number <= MAX_COUNTED_TOKENS ? number : null;
}
