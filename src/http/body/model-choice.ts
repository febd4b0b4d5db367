import { ProxyError } from "../../core/errors.ts";

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
  throw new ProxyError("field_choice", {
    params: { field, choices: allowedModels.join(", ") },
    details: { field },
  });
}

/** The bound of an answer, checked. */
export function chosenTokens(maxTokens: number, { maxTokensLimit }: ModelRules): number {
  if (maxTokens >= 1 && maxTokens <= maxTokensLimit) return maxTokens;
  throw new ProxyError("field_range", {
    params: { field: "max_tokens", min: 1, max: maxTokensLimit },
    details: { field: "max_tokens" },
  });
}
