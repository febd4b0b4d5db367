/** Families that refuse `max_tokens` on chat and want `max_completion_tokens`. */
const NEWER_TOKEN_FIELD = /^(o[1-9]|gpt-[5-9])([.-]|$)/;

export function wantsNewerTokenField(model: string): boolean {
  return NEWER_TOKEN_FIELD.test(model);
}
