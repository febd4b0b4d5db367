export const upstreamKinds = ["openai", "azure", "anthropic"] as const;

/** An upstream as /admin shows it: secrets by number or name only. */
export interface Upstream {
  readonly name: string;
  readonly kind: (typeof upstreamKinds)[number];
  readonly url: string;
  readonly models: readonly string[];
  readonly key_count: number;
  readonly header_names: readonly string[];
  readonly proxy: string | null;
  readonly concurrency: number | null;
  readonly answer_seconds: number | null;
  readonly first_token_seconds: number | null;
  /** Null: it is the one of the settings. */
  readonly created_at: string | null;
  /** Of its breaker. */
  readonly state: "closed" | "open" | "probe" | null;
  readonly retry_after_seconds: number | null;
}

export interface Upstreams {
  readonly upstreams: readonly Upstream[];
  readonly seals_secrets: boolean;
}

export interface Target {
  readonly upstream: string;
  readonly model: string;
  readonly weight: number | string;
}

/** The targets of a stage share its calls; each stage is the next resort. */
export type Stages = readonly (readonly Target[])[];

export interface Route {
  readonly model: string;
  readonly to: string;
  readonly stages: Stages;
}

export const upstreamPath = (name: string) => `upstreams/${encodeURIComponent(name)}`;
export const routePath = (model: string) => `routes/${encodeURIComponent(model)}`;

/** A model may itself end like a weight; then its weight is written in any case. */
const LIKE_A_WEIGHT = /@\d{1,9}$/;

/** As the API reads it. */
export function routeText(stages: Stages): string {
  return stages.map((targets) => targets.map(targetText).join(", ")).join("; ");
}

function targetText({ upstream, model, weight }: Target): string {
  const isPlain = String(weight) === "1" && !LIKE_A_WEIGHT.test(model.trim());
  return isPlain ? `${upstream}:${model}` : `${upstream}:${model}@${weight}`;
}

/** What would be read as another target, or as another weight. */
export function isUnreadable(stages: Stages): boolean {
  return stages.flat().some(({ model, weight }) => {
    return /[,;]/.test(model) || !/^\d{1,9}$/.test(String(weight).trim());
  });
}
