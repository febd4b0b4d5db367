/** What the services of the demo offer. */
export const USUAL_MODEL = "gpt-5.4-mini";
export const EMBEDDING_MODEL = "text-embedding-3-small";

export const openAiModels = [
  USUAL_MODEL,
  "gpt-5.4",
  "gpt-5.6",
  "gpt-6-luna",
  "o4-mini",
  EMBEDDING_MODEL,
] as const;

export const claudeModels = ["claude-sonnet-5-5", "claude-haiku-5-5"] as const;

/** The upstream that is out of order. */
export const AWAY = "frankfurt";
