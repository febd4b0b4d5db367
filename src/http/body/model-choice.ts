import { fieldError } from "../../core/common-errors.ts";

/** What callers may choose in dialects with defaults. */
export interface ModelRules {
  readonly model: string;
  /** Empty: any model. */
  readonly allowedModels: readonly string[];
  readonly maxTokensLimit: number;
}

/** The requested model, or the default. Throws an error about `field` if it is not allowed. */
export function chosenModel(
  requested: string | null | undefined,
  { model, allowedModels }: ModelRules,
  field = "model",
): string {
  if (!requested) return model;
  if (allowedModels.length === 0 || allowedModels.includes(requested)) return requested;
  throw fieldError("field_choice", field, { choices: allowedModels.join(", ") });
}

/** The bound of an answer. Throws if it is out of range. */
export function chosenTokens(maxTokens: number, { maxTokensLimit }: ModelRules): number {
  if (maxTokens >= 1 && maxTokens <= maxTokensLimit) return maxTokens;
  throw fieldError("field_range", "max_tokens", { min: 1, max: maxTokensLimit });
}
