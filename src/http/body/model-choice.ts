import type { Principal } from "../../core/call/call.ts";
import { fieldError } from "../../core/common-errors.ts";
import { answersOf, type BoundField, boundOf, type RelayFields } from "./relay-fields.ts";

/** What callers may choose. */
export interface ModelRules {
  /** For requests that name none, so it is always allowed. */
  readonly model: string;
  /** Empty: any model. */
  readonly allowedModels: readonly string[];
  /** The bound of an answer in a conversation, if the request has none. */
  readonly usualTokens: number;
  readonly maxTokensLimit: number;
  /** The same for requests that are passed on; null: only OpenAI's own bounds. */
  readonly maxTokensPassedOn: number | null;
}

/** The requested model, or the default. */
export function chosenModel(requested: string | null | undefined, { model }: ModelRules): string {
  return requested || model;
}

/** Throws an error about `field` if this caller may not have the model. */
export function checkModel(
  principal: Principal,
  model: string,
  rules: Pick<ModelRules, "model" | "allowedModels">,
  field = "model",
): void {
  if (mayHaveModel(principal, model, rules)) return;
  throw fieldError("field_choice", field, { choices: rules.allowedModels.join(", ") });
}

/** A token's own list replaces the operator's; admission checks it. */
export function mayHaveModel(
  principal: Principal,
  model: string,
  { model: usual, allowedModels }: Pick<ModelRules, "model" | "allowedModels">,
): boolean {
  if (allowedModels.length === 0 || model === usual || allowedModels.includes(model)) return true;
  return principal.kind === "token" && principal.found.token.models !== null;
}

/** The bound of an answer. Throws if it is out of range. */
export function chosenTokens(maxTokens: number, { maxTokensLimit }: ModelRules): number {
  if (maxTokens >= 1 && maxTokens <= maxTokensLimit) return maxTokens;
  throw fieldError("field_range", "max_tokens", { min: 1, max: maxTokensLimit });
}

/** A request to be passed on, as far as the operator has rules for it. */
export interface PassedOn {
  readonly model: string;
  readonly fields: RelayFields;
  /** See `expectedOfRelay`. */
  readonly bounds: readonly BoundField[] | null;
  /** The field with the model, and what stands before the names of the bounds. */
  readonly modelField?: string;
  readonly prefix?: string;
}

/**
 * Throws what the operator doesn't allow, unless the caller pays with a key of their own. A bound that
 * is missing is not added.
 */
export function checkPassedOn(principal: Principal, asked: PassedOn, rules: ModelRules): void {
  if (principal.kind === "own-key") return;
  const { model, fields, bounds, modelField, prefix = "" } = asked;
  if (model !== "") checkModel(principal, model, rules, modelField);
  const bound = bounds === null ? null : boundOf(fields, bounds);
  const max = rules.maxTokensPassedOn;
  const answers = answersOf(fields);
  if (bound === null || max === null || bound.tokens * answers <= max) return;
  const maxEach = Math.max(1, Math.floor(max / answers));
  throw fieldError("field_range", `${prefix}${bound.field}`, { min: 1, max: maxEach });
}
