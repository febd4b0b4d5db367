import { t } from "../../shared/texts.ts";
import type { Stages, Target } from "./routing.ts";
import { TargetFields } from "./target-fields.tsx";

/** As the API takes them. */
const MAX_STAGES = 8;
const MAX_TARGETS = 16;

interface StageFieldsProps {
  readonly id: string;
  readonly stages: Stages;
  readonly upstreams: readonly string[];
  readonly onChange: (stages: Stages) => void;
}

/** The targets in order: those that share the calls, and the next resorts. */
export function StageFields({ id, stages, upstreams, onChange }: StageFieldsProps) {
  const fresh: Target = { upstream: upstreams[0] ?? "", model: "", weight: 1 };
  const changeStage = (at: number, targets: readonly Target[]) => {
    const next = stages.map((stage, index) => (index === at ? targets : stage));
    onChange(next.filter((stage) => stage.length > 0));
  };
  const swap = (at: number) => {
    const [before = [], after = []] = stages.slice(at, at + 2);
    onChange([...stages.slice(0, at), after, before, ...stages.slice(at + 2)]);
  };
  return (
    <div id={id} tabIndex={-1}>
      {stages.map((targets, at) => (
        <fieldset key={at} class="stage">
          <legend>
            {at === 0 ? t("operator.routing.first") : t("operator.routing.resort", { number: at })}
          </legend>
          <TargetFields
            targets={targets}
            upstreams={upstreams}
            canRemove={stages.length > 1 || targets.length > 1}
            onChange={(next) => changeStage(at, next)}
          />
          <div class="row">
            {targets.length < MAX_TARGETS && (
              <button
                type="button"
                class="plain"
                onClick={() => changeStage(at, [...targets, fresh])}
              >
                {t("operator.routing.add_target")}
              </button>
            )}
            {at > 0 && (
              <button type="button" class="plain" onClick={() => swap(at - 1)}>
                {t("operator.routing.up")}
              </button>
            )}
          </div>
        </fieldset>
      ))}
      {stages.length < MAX_STAGES && (
        <button type="button" onClick={() => onChange([...stages, [fresh]])}>
          {t("operator.routing.add_stage")}
        </button>
      )}
    </div>
  );
}
