import { fieldError } from "../common-errors.ts";
import { MAX_MODEL_CHARACTERS, MAX_STAGE_TARGETS, MAX_STAGES, MAX_WEIGHT } from "./bounds.ts";
import type { ModelRoute, RouteTarget } from "./routing.ts";

/** Above the longest route that is allowed. */
const MAX_TEXT_CHARACTERS = 65_536;

/**
 * `openai:gpt-4o@3, azure:gpt-4o-eu; deepseek:deepseek-chat`: commas between weighted alternatives,
 * semicolons before the next resort. A name ends at the first colon; a trailing `@` with digits is the
 * weight, so that `llama3:8b` and `@cf/meta/x` are models. Throws what is wrong with the field `to`.
 */
export function parseRouteText(text: string): ModelRoute["stages"] {
  if (text.length > MAX_TEXT_CHARACTERS) throw tooLong(MAX_TEXT_CHARACTERS);
  const stages = text.split(";");
  if (stages.length > MAX_STAGES) throw tooMany(MAX_STAGES);
  return stages.map((stage) => {
    const targets = stage.split(",");
    if (targets.length > MAX_STAGE_TARGETS) throw tooMany(MAX_STAGE_TARGETS);
    return targets.map((target) => parseTarget(target.trim()));
  });
}

/** As `parseRouteText` reads it. */
export function routeText(stages: ModelRoute["stages"]): string {
  return stages.map((targets) => targets.map(targetText).join(", ")).join("; ");
}

function parseTarget(text: string): RouteTarget {
  const colon = text.indexOf(":");
  const [, model = "", digits = "1"] = WEIGHTED.exec(text.slice(colon + 1)) ?? [];
  const upstream = text.slice(0, Math.max(colon, 0)).trim();
  if (upstream === "" || !isTargetModel(model.trim())) {
    throw fieldError("field_type", "to", { expected: "route" });
  }
  const weight = Number(digits);
  if (weight < 1 || weight > MAX_WEIGHT) {
    throw fieldError("field_range", "to", { min: 1, max: MAX_WEIGHT });
  }
  if (model.length > MAX_MODEL_CHARACTERS) throw tooLong(MAX_MODEL_CHARACTERS);
  return { upstream, model: model.trim(), weight };
}

const WEIGHTED = /^(.*?)(?:@(\d{1,9}))?$/s;

function targetText({ upstream, model, weight }: RouteTarget): string {
  // a model may itself end like a weight
  const isPlain = weight === 1 && !/@\d{1,9}$/.test(model);
  return isPlain ? `${upstream}:${model}` : `${upstream}:${model}@${weight}`;
}

/** Whether the text of a route can hold the model's name. */
export function isTargetModel(model: string): boolean {
  return model !== "" && model === model.trim() && !/[,;\p{Cc}]/u.test(model);
}

function tooMany(max: number) {
  return fieldError("field_too_many", "to", { max });
}

function tooLong(max: number) {
  return fieldError("field_too_long", "to", { max });
}
