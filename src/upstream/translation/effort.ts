import { wantsNewerTokenField } from "../../core/call/messages.ts";
import type { Dropped } from "./dropped.ts";
import { fieldsOf, isGiven, type JsonFields, listed, stringOf } from "./fields.ts";

/** Budgets of thinking, in tokens, at which an effort begins to be medium or high. */
const MEDIUM_TOKENS = 4_096;
const HIGH_TOKENS = 16_384;
/** The least that Anthropic takes. */
const LOW_TOKENS = 1_024;

/** Efforts that both sides know. Others are the nearest of these. */
const EFFORTS: ReadonlyMap<unknown, string> = new Map([
  ["minimal", "low"],
  ["low", "low"],
  ["medium", "medium"],
  ["high", "high"],
  ["xhigh", "high"],
  ["max", "high"],
]);
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ["low", LOW_TOKENS],
  ["medium", MEDIUM_TOKENS],
  ["high", HIGH_TOKENS],
]);

/** OpenAI's reasoning effort for what Anthropic's request says of thinking. */
export function reasoningEffort(request: JsonFields, dropped: Dropped): string | undefined {
  const { model, thinking, output_config: config } = request;
  const takesEffort = wantsNewerTokenField(stringOf(model)) || /\bgpt-oss\b/.test(stringOf(model));
  const effort = EFFORTS.get(fieldsOf(config).effort);
  const budget = budgetOf(fieldsOf(thinking));
  if (isGiven(fieldsOf(config).effort) && (effort === undefined || !takesEffort)) {
    dropped.add("output_config");
  }
  const found = takesEffort ? (effort ?? budget) : undefined;
  if (isGiven(thinking) && (found === undefined || budget === undefined)) {
    // a model that can't think needs nobody to forbid it
    if (takesEffort || fieldsOf(thinking).type !== "disabled") dropped.add("thinking");
  }
  return found;
}

function budgetOf({ type, budget_tokens: tokens }: JsonFields): string | undefined {
  if (type !== "enabled" || typeof tokens !== "number") return undefined;
  if (tokens >= HIGH_TOKENS) return "high";
  return tokens >= MEDIUM_TOKENS ? "medium" : "low";
}

/** Models that think for so many tokens at most, as their names say. */
const THINKS_BY_BUDGET = /^claude-(?:3-7-|(?:opus|sonnet|haiku)-4(?:-[015])?(?:-\d{8})?$)/;
const NEVER_THINKS = /^claude-(?:2|instant|3-(?!7-))/;

/** Anthropic's fields for OpenAI's reasoning effort. */
export function thinkingFields(
  request: JsonFields,
  maxTokens: number,
  dropped: Dropped,
): JsonFields {
  const { model, reasoning_effort: asked } = request;
  if (!isGiven(asked)) return {};
  const effort = EFFORTS.get(asked);
  const name = stringOf(model);
  if (effort !== undefined && !NEVER_THINKS.test(name)) {
    if (!THINKS_BY_BUDGET.test(name)) return { output_config: { effort } };
    const budget = Math.min(BUDGETS.get(effort) ?? LOW_TOKENS, maxTokens - 1);
    if (budget >= LOW_TOKENS && mayThink(request)) {
      return { thinking: { type: "enabled", budget_tokens: budget } };
    }
  }
  dropped.add("reasoning_effort");
  return {};
}

/** With a budget, these models take no forced tool, no temperature, and no calls without their thoughts. */
function mayThink({
  tool_choice: choice,
  messages,
  temperature,
  top_p: topP,
}: JsonFields): boolean {
  if (isGiven(choice) && choice !== "auto" && choice !== "none") return false;
  if (isGiven(temperature) || isGiven(topP)) return false;
  return !listed(messages).some((message) => listed(fieldsOf(message).tool_calls).length > 0);
}
