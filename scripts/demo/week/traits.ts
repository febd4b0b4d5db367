/** How long questions and answers are, and how fast each model is. */
import { AWAY, USUAL_MODEL } from "../models.ts";
import type { Chance } from "./chance.ts";

interface Trait {
  /** Medians. */
  readonly prompt: number;
  readonly completion: number;
  readonly firstTokenMs: number;
  /** The part of a prompt that was cached, of those that are long. */
  readonly cached: number;
  readonly targets: readonly {
    readonly upstream: string;
    readonly model?: string;
    readonly weight: number;
  }[];
}

const SPREAD = 0.9;
const TIME_SPREAD = 0.45;
/** Shorter prompts are not cached. */
const MIN_CACHED_TOKENS = 1_024;

const atDefault = [{ upstream: "default", weight: 1 }];
const atAnthropic = [{ upstream: "anthropic", weight: 1 }];

const usual: Trait = {
  prompt: 420,
  completion: 260,
  firstTokenMs: 520,
  cached: 0.5,
  targets: atDefault,
};

const traits: Readonly<Record<string, Partial<Trait>>> = {
  [USUAL_MODEL]: { targets: [{ upstream: AWAY, weight: 1 }] },
  "gpt-5.4": { prompt: 900, completion: 420, firstTokenMs: 780 },
  "gpt-5.6": { prompt: 2_600, completion: 700, firstTokenMs: 1_100, cached: 0.6 },
  "gpt-6-luna": { prompt: 260, completion: 180, firstTokenMs: 310 },
  "o4-mini": { prompt: 3_200, completion: 900, firstTokenMs: 2_400 },
  "claude-sonnet-5-5": {
    prompt: 3_800,
    completion: 620,
    firstTokenMs: 890,
    cached: 0.7,
    targets: atAnthropic,
  },
  "claude-haiku-5-5": { prompt: 800, completion: 300, firstTokenMs: 430, targets: atAnthropic },
  smart: {
    prompt: 1_200,
    completion: 450,
    firstTokenMs: 950,
    targets: [
      { upstream: "default", model: "gpt-5.6", weight: 2 },
      { upstream: "anthropic", model: "claude-sonnet-5-5", weight: 1 },
    ],
  },
  "text-embedding-3-small": { prompt: 1_500, completion: 0, cached: 0 },
};

export function traitsOf(model: string, chance: Chance) {
  const trait = { ...usual, ...traits[model] };
  const target = chance.pick(trait.targets);
  const promptTokens = Math.ceil(chance.around(trait.prompt, SPREAD));
  const isCached = promptTokens >= MIN_CACHED_TOKENS && chance.isIn(trait.cached);
  return {
    upstream: target.upstream,
    upstreamModel: target.model ?? model,
    promptTokens,
    // the service counts in steps of 128
    cachedTokens: isCached ? Math.floor((promptTokens * 0.8) / 128) * 128 : 0,
    completionTokens: Math.ceil(chance.around(trait.completion, SPREAD)),
    firstTokenMs: Math.round(chance.around(trait.firstTokenMs, TIME_SPREAD)),
  };
}
