import { paidUsage, type Usage } from "../../core/call/messages.ts";
import type { JsonFields } from "./fields.ts";

/** Written where the count is still to come, or never comes. No call takes nothing. */
const UNCOUNTED: JsonFields = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
};

/** Usage in Anthropic's form, which counts apart what was read from a cache or written into one. */
export function messagesUsage(counted: Usage | null): JsonFields {
  const usage = paidUsage(counted);
  if (usage === null) return UNCOUNTED;
  const { cacheWrite = 0, cacheWriteHour = 0, reasoning = 0 } = usage.parts ?? {};
  const written = cacheWrite + cacheWriteHour;
  const cached = Math.min(usage.cachedTokens ?? 0, usage.promptTokens);
  return {
    input_tokens: Math.max(0, usage.promptTokens - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: usage.completionTokens,
    ...(cacheWriteHour > 0 && { cache_creation: byAge(cacheWrite, cacheWriteHour) }),
    ...(reasoning > 0 && { output_tokens_details: { thinking_tokens: reasoning } }),
    ...(usage.tier !== undefined && { service_tier: usage.tier }),
  };
}

function byAge(minutes: number, hour: number): JsonFields {
  return { ephemeral_5m_input_tokens: minutes, ephemeral_1h_input_tokens: hour };
}

/** Usage in OpenAI's form. Its prompt tokens are all of them. */
export function chatUsage(usage: Usage): JsonFields {
  const { cacheWrite = 0, cacheWriteHour = 0, reasoning = 0 } = usage.parts ?? {};
  const written = cacheWrite + cacheWriteHour;
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedTokens ?? 0,
      ...(written > 0 && { cache_write_tokens: written }),
    },
    completion_tokens_details: { reasoning_tokens: reasoning },
    ...(cacheWriteHour > 0 && { cache_creation: byAge(cacheWrite, cacheWriteHour) }),
  };
}
