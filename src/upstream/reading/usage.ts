import type { CompletionUsage } from "openai/resources/completions";
import type { ResponseUsage } from "openai/resources/responses/responses";
import { MAX_COUNTED_TOKENS } from "../../core/accounts/price.ts";
import type { Usage } from "../../core/call/messages.ts";
import { fieldOf, isObject } from "./json.ts";

/** What an answer says about its tokens. */
export interface Counted {
  readonly usage: Usage | null;
  /** It has counted tokens of reasoning. */
  readonly reasoned: boolean;
}

const UNCOUNTED: Counted = { usage: null, reasoned: false };

/** Where services put token counts that have no `usage` of their own, the most usual first. */
const OTHER_PLACES: readonly ((answer: object) => unknown)[] = [
  (answer) => fieldOf(fieldOf(answer, "x_groq"), "usage"),
  (answer) => fieldOf(answer, "usage_metadata"),
  (answer) => fieldOf(answer, "usageMetadata"),
  (answer) => fieldOf(fieldOf(answer, "message"), "usage"),
  (answer) => fieldOf(fieldOf(answer, "meta"), "tokens"),
  (answer) => fieldOf(fieldOf(answer, "meta"), "billed_units"),
  (answer) => ("eval_count" in answer ? answer : null),
  (answer) => fieldOf(answer, "timings"),
];

/**
 * Reads the token counts of an answer, or of an event, wherever a service puts them. `before` is what
 * earlier events have counted: some count the question first, and the answer alone in the end.
 */
export function usageIn(value: object, before: Usage | null = null): Counted {
  // events of the responses API hold the answer one level down
  const response = fieldOf(value, "response");
  const answer = isObject(response) ? response : value;
  const own = countedIn(fieldOf(answer, "usage"), before);
  if (own !== null) return own;
  const choices = fieldOf(answer, "choices");
  if (Array.isArray(choices)) {
    for (const choice of choices) {
      const counted = countedIn(fieldOf(choice, "usage"), before);
      if (counted !== null) return counted;
    }
  }
  for (const place of OTHER_PLACES) {
    const counted = countedIn(place(answer), before);
    if (counted !== null) return counted;
  }
  return UNCOUNTED;
}

function countedIn(place: unknown, before: Usage | null): Counted | null {
  const usage = toUsage(place) ?? withAnswer(before, place);
  return usage && { usage, reasoned: reasoningIn(place) > 0 };
}

/** OpenAI's own names, which its package knows, come first. */
const PROMPT = [
  ...official(["prompt_tokens", "input_tokens"]),
  "promptTokenCount",
  "prompt_token_count",
  "prompt_eval_count",
  "prompt_n",
];
const COMPLETION = [
  ...official(["completion_tokens", "output_tokens"]),
  "candidatesTokenCount",
  "candidates_token_count",
  "eval_count",
  "predicted_n",
];
const TOTAL = [...official(["total_tokens"]), "totalTokenCount", "total_token_count"];
const CACHED = [
  "prompt_cache_hit_tokens",
  "cached_tokens",
  "cache_read_input_tokens",
  "cachedContentTokenCount",
  "cached_content_token_count",
  "cache_n",
];
const REASONING = ["reasoning_tokens", "thoughtsTokenCount", "thoughts_token_count"];

/** Token counts in the spelling of any service. Null if they are missing or cannot be true. */
export function toUsage(usage: unknown): Usage | null {
  if (!isObject(usage)) return null;
  const total = count(first(usage, TOTAL));
  const written = first(usage, COMPLETION);
  const asked = first(usage, PROMPT) ?? (written === null ? total : null);
  const prompt = count(asked);
  const completionTokens = count(written ?? 0);
  if (prompt === null || completionTokens === null) return null;
  const promptTokens = prompt + besidePrompt(usage);
  const reasoning = reasoningIn(usage);
  const beside = reasoning > completionTokens ? reasoning : 0;
  const parts = promptTokens + completionTokens + beside;
  return {
    promptTokens,
    completionTokens,
    totalTokens: Math.max(total ?? 0, parts),
    cachedTokens: cachedIn(usage),
  };
}

/** The counts of the question, with those of the answer that came alone. */
function withAnswer(before: Usage | null, usage: unknown): Usage | null {
  if (before === null || !isObject(usage) || first(usage, PROMPT) !== null) return null;
  const completionTokens = count(first(usage, COMPLETION));
  if (completionTokens === null) return null;
  return { ...before, completionTokens, totalTokens: before.promptTokens + completionTokens };
}

/** Cached tokens that the count of the prompt leaves out. */
function besidePrompt(usage: object): number {
  const counts = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + (count(fieldOf(usage, name)) ?? 0), 0);
  if ("prompt_n" in usage) return counts(["cache_n"]);
  if (!("input_tokens" in usage)) return 0;
  return counts(["cache_read_input_tokens", "cache_creation_input_tokens"]);
}

function cachedIn(usage: object): number | null {
  const details = first(usage, official(["prompt_tokens_details", "input_tokens_details"]));
  return count(fieldOf(details, "cached_tokens") ?? first(usage, CACHED));
}

function reasoningIn(usage: unknown): number {
  if (!isObject(usage)) return 0;
  const details = first(usage, official(["completion_tokens_details", "output_tokens_details"]));
  return count(fieldOf(details, "reasoning_tokens") ?? first(usage, REASONING)) ?? 0;
}

/** The first field that is there and not null. */
function first(object: object, names: readonly string[]): unknown {
  for (const name of names) {
    const value = fieldOf(object, name);
    if (value !== undefined && value !== null) return value;
  }
  return null;
}

function count(value: unknown): number | null {
  const number = typeof value === "number" && Number.isInteger(value) ? value : -1;
  return number >= 0 && number <= MAX_COUNTED_TOKENS ? number : null;
}

/** A misspelled name does not compile. */
function official(names: readonly (keyof CompletionUsage | keyof ResponseUsage)[]) {
  return names;
}
