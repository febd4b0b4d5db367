import type { CompletionUsage } from "openai/resources/completions";
import type { ResponseUsage } from "openai/resources/responses/responses";
import { MAX_COUNTED_TOKENS } from "../../core/accounts/price.ts";
import { tiers } from "../../core/accounts/price-fields.ts";
import type { Usage } from "../../core/call/messages.ts";
import { fieldOf, isObject } from "./json.ts";
import { partsIn } from "./usage-parts.ts";

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
  (answer) => fieldOf(answer, "token_usage"),
  (answer) => fieldOf(answer, "tokenUsage"),
  (answer) => fieldOf(answer, "amazon-bedrock-invocationMetrics"),
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
  if (own !== null) return ofTier(own, fieldOf(answer, "service_tier"));
  const inChoice = inChoices(answer, before);
  if (inChoice !== null) return inChoice;
  for (const place of OTHER_PLACES) {
    const counted = countedIn(place(answer), before);
    if (counted !== null) return counted;
  }
  return UNCOUNTED;
}

/** OpenAI names the tier beside the usage, Anthropic in it. */
function ofTier(counted: Counted, named: unknown): Counted {
  const tier = tiers.find((one) => one === named);
  const { usage } = counted;
  return tier === undefined || usage === null ? counted : { ...counted, usage: { ...usage, tier } };
}

/** A choice has its own, or what it says has. */
function inChoices(answer: object, before: Usage | null): Counted | null {
  const choices = fieldOf(answer, "choices");
  if (!Array.isArray(choices)) return null;
  for (const choice of choices) {
    const said = fieldOf(choice, "message") ?? fieldOf(choice, "delta");
    const counted = countedIn(fieldOf(choice, "usage") ?? fieldOf(said, "usage"), before);
    if (counted !== null) return counted;
  }
  return null;
}

function countedIn(given: unknown, before: Usage | null): Counted | null {
  if (!isObject(given)) return null;
  const place = snakeCased(given);
  const usage = sameCache(toUsage(place), before, place) ?? withAnswer(before, place);
  if (usage === null) return null;
  const reasoned = reasoningIn(place, first(place, ANSWER_DETAILS)) > 0;
  return ofTier({ usage, reasoned }, fieldOf(place, "service_tier"));
}

/** OpenAI's own names, which its package knows, come first. */
const PROMPT = [
  ...official(["prompt_tokens", "input_tokens"]),
  "prompt_token_count",
  "input_token_count",
  "tokens_prompt",
  "prompt_eval_count",
  "prompt_n",
];
const COMPLETION = [
  ...official(["completion_tokens", "output_tokens"]),
  "candidates_token_count",
  "output_token_count",
  "generated_token_count",
  "generation_token_count",
  "generated_tokens",
  "tokens_completion",
  "eval_count",
  "predicted_n",
];
const TOTAL = [...official(["total_tokens"]), "total_token_count"];
const CACHED = [
  "prompt_cache_hit_tokens",
  "cached_tokens",
  "cache_read_input_tokens",
  "cached_input_tokens",
  "cached_content_token_count",
  "cache_n",
];
const PROMPT_DETAILS = [
  ...official(["prompt_tokens_details", "input_tokens_details"]),
  "input_token_details",
];
const ANSWER_DETAILS = official(["completion_tokens_details", "output_tokens_details"]);
const REASONING = ["reasoning_tokens", "thoughts_token_count"];

/** Token counts in the spelling of any service. Null if they are missing or cannot be true. */
export function toUsage(given: unknown): Usage | null {
  if (!isObject(given)) return null;
  const usage = snakeCased(given);
  const total = count(first(usage, TOTAL));
  const written = first(usage, COMPLETION);
  const asked = first(usage, PROMPT) ?? (written === null ? total : null);
  const prompt = count(asked);
  const completionTokens = count(written ?? 0);
  if (prompt === null || completionTokens === null) return null;
  const promptTokens = prompt + besidePrompt(usage);
  // a count that is still to come
  if ("input_tokens" in usage && promptTokens + completionTokens === 0) return null;
  const details = first(usage, ANSWER_DETAILS);
  const reasoning = reasoningIn(usage, details);
  const beside = reasoning > completionTokens ? reasoning : 0;
  const parts = promptTokens + completionTokens + beside;
  const totalTokens = Math.max(total ?? 0, parts);
  const promptDetails = first(usage, PROMPT_DETAILS);
  const cachedTokens = cachedIn(usage, promptDetails);
  const counts = { promptTokens, completionTokens, totalTokens, cachedTokens };
  const apart = partsIn(usage, promptDetails, details, reasoning);
  return apart === null ? counts : { ...counts, parts: apart };
}

const CAPITAL = /[A-Z]/g;
const USUAL = official(["prompt_tokens", "input_tokens", "total_tokens"]);

/** The same counts with names as OpenAI writes them: `inputTokens` is `input_tokens`. */
function snakeCased(counts: object): object {
  // most services write as OpenAI does
  if (USUAL.some((name) => name in counts)) return counts;
  return Object.fromEntries(
    Object.entries(counts).map(([name, value]) => [
      name.replace(CAPITAL, (letter) => `_${letter.toLowerCase()}`),
      value as unknown,
    ]),
  );
}

/** The counts of the question, with those of the answer that came alone. */
function withAnswer(before: Usage | null, usage: unknown): Usage | null {
  if (before === null || !isObject(usage) || first(usage, PROMPT) !== null) return null;
  const completionTokens = count(first(usage, COMPLETION));
  if (completionTokens === null) return null;
  const reasoning = reasoningIn(usage, first(usage, ANSWER_DETAILS));
  const totalTokens = before.promptTokens + completionTokens;
  const counts = { ...before, completionTokens, totalTokens };
  return reasoning === 0 ? counts : { ...counts, parts: { ...before.parts, reasoning } };
}

/** Anthropic's first event alone tells for how long a cache was written. */
function sameCache(usage: Usage | null, before: Usage | null, place: object): Usage | null {
  const { cacheWriteHour = 0 } = before?.parts ?? {};
  const written = usage?.parts?.cacheWrite ?? 0;
  if (usage === null || cacheWriteHour === 0 || "cache_creation" in place) return usage;
  const kept = Math.min(cacheWriteHour, written);
  return { ...usage, parts: { ...usage.parts, cacheWriteHour: kept, cacheWrite: written - kept } };
}

/** Cached tokens that the count of the prompt leaves out. */
function besidePrompt(usage: object): number {
  const counts = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + (count(fieldOf(usage, name)) ?? 0), 0);
  if ("prompt_n" in usage) return counts(["cache_n"]);
  if (!("input_tokens" in usage)) return 0;
  return counts(["cache_read_input_tokens", "cache_creation_input_tokens"]);
}

function cachedIn(usage: object, details: unknown): number | null {
  const cached = fieldOf(details, "cached_tokens") ?? fieldOf(details, "cachedTokens");
  return count(cached ?? first(usage, CACHED));
}

function reasoningIn(usage: object, details: unknown): number {
  const own =
    fieldOf(details, "reasoning_tokens") ??
    fieldOf(details, "reasoningTokens") ??
    fieldOf(details, "thinking_tokens");
  return count(own ?? first(usage, REASONING)) ?? 0;
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
