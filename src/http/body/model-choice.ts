import { fieldError } from "../../core/common-errors.ts";

/** What callers may choose in the dialects that have defaults. */
export interface ModelRules {
  readonly model: string;
  /** Empty: any model may be asked for. */
  readonly allowedModels: readonly string[];
  readonly maxTokensLimit: number;
}

/** The model asked for, or the default; `field` is what to name when it may not be had. */
export function chosenModel(
  asked: string | null | undefined,
  { model, allowedModels }: ModelRules,
  field = "model",
): string {
  if (!asked) return model;
  if (allowedModels.length === 0 || allowedModels.includes(asked)) return asked;
  throw fieldError("field_choice", field, { choices: allowedModels.join(", ") });
}

/** The bound of an answer, checked. */
export function chosenTokens(maxTokens: number, { maxTokensLimit }: ModelRules): number {
  if (maxTokens >= 1 && maxTokens <= maxTokensLimit) return maxTokens;
  throw fieldError("field_range", "max_tokens", { min: 1, max: maxTokensLimit });
}
