/**
 * Models that think before they answer, by the last part of their name. What they think is billed and
 * never passes.
 */
const KNOWN = [
  /^o[1-9]([.-]|$)/,
  /^gpt-([5-9]|oss)([.:-]|$)/,
  /^codex([.-]|$)/,
  /^deepseek-r\d/,
  /^(qwq|qvq|magistral)([.:-]|$)/,
  /^grok-(3-mini|4)([.-]|$)/,
  /^gemini-(2\.5|[3-9])([.-]|$)/,
  /reason/,
  /think/,
];
/** Variants that say that they don't. */
const NOT = /non-?(reason|think)/;

/** Past this many all are learned again. */
const MAX_LEARNED_MODELS = 1_000;

/** Knows which models think: by their names, or because they have reported it. */
export interface ReasoningModels {
  has(model: string): boolean;
  learn(model: string): void;
}

export function createReasoningModels(): ReasoningModels {
  const learned = new Set<string>();
  return {
    has: (model) => learned.has(model) || isKnown(model),
    learn(model) {
      if (learned.size >= MAX_LEARNED_MODELS) learned.clear();
      learned.add(model);
    },
  };
}

/** `openai/o3-mini` and `ft:o4-mini-2025-04-16:…` are named by their vendor or their base. */
function isKnown(model: string): boolean {
  const name = model.toLowerCase().replace(/^ft:/, "").replace(/^.*\//, "");
  return KNOWN.some((pattern) => pattern.test(name)) && !NOT.test(name);
}
