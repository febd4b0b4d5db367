import { useId } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import type { Target } from "./routing.ts";

interface TargetFieldsProps {
  readonly targets: readonly Target[];
  readonly upstreams: readonly string[];
  readonly canRemove: boolean;
  readonly onChange: (targets: readonly Target[]) => void;
}

export function TargetFields({ targets, upstreams, canRemove, onChange }: TargetFieldsProps) {
  const change = (at: number, part: Partial<Target>) =>
    onChange(targets.map((target, index) => (index === at ? { ...target, ...part } : target)));
  return (
    <>
      {targets.map((target, at) => (
        <TargetRow
          key={at}
          target={target}
          upstreams={upstreams}
          hasWeight={targets.length > 1}
          onChange={(part) => change(at, part)}
          onRemove={canRemove ? () => onChange(targets.filter((_, index) => index !== at)) : null}
        />
      ))}
    </>
  );
}

interface TargetRowProps {
  readonly target: Target;
  readonly upstreams: readonly string[];
  /** One alone has all calls. */
  readonly hasWeight: boolean;
  readonly onChange: (part: Partial<Target>) => void;
  readonly onRemove: (() => void) | null;
}

function TargetRow({ target, upstreams, hasWeight, onChange, onRemove }: TargetRowProps) {
  const id = useId();
  const names = upstreams.includes(target.upstream) ? upstreams : [target.upstream, ...upstreams];
  return (
    <div class="target">
      <div>
        <label for={`${id}-upstream`}>{t("operator.routing.upstream")}</label>
        <select
          id={`${id}-upstream`}
          value={target.upstream}
          onChange={({ currentTarget }) => onChange({ upstream: currentTarget.value })}
        >
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div class="wide">
        <label for={`${id}-model`}>{t("operator.routing.model_there")}</label>
        <input
          id={`${id}-model`}
          class="whole"
          autocomplete="off"
          spellcheck={false}
          value={target.model}
          onInput={({ currentTarget }) => onChange({ model: currentTarget.value })}
        />
      </div>
      {hasWeight && (
        <div>
          <label for={`${id}-weight`}>{t("operator.routing.weight")}</label>
          <input
            id={`${id}-weight`}
            class="number weight"
            inputMode="numeric"
            autocomplete="off"
            value={String(target.weight)}
            onInput={({ currentTarget }) => onChange({ weight: currentTarget.value.trim() })}
          />
        </div>
      )}
      {onRemove !== null && (
        <button
          type="button"
          class="plain"
          aria-label={t("operator.routing.remove_target", {
            target: `${target.upstream}:${target.model}`,
          })}
          onClick={onRemove}
        >
          {t("operator.form.remove")}
        </button>
      )}
    </div>
  );
}
