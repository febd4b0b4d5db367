import { t } from "../shared/texts.ts";

interface VersionSwitchProps {
  readonly label: string;
  /** Ids, oldest first. */
  readonly versions: readonly number[];
  readonly current: number;
  readonly onShow: (id: number) => void;
}

/** "‹ 1 / 2 ›". A button at an end stays where it is, so that the focus does. */
export function VersionSwitch({ label, versions, current, onShow }: VersionSwitchProps) {
  if (versions.length < 2) return null;
  const at = versions.indexOf(current);
  const step = (by: number, sign: string, name: string) => {
    const next = versions[at + by];
    return (
      <button
        type="button"
        class="plain"
        aria-label={t(`visitor.${name}`)}
        aria-disabled={next === undefined}
        onClick={() => {
          if (next !== undefined) onShow(next);
        }}
      >
        {sign}
      </button>
    );
  };
  return (
    <fieldset class="versions" aria-label={label}>
      {step(-1, "‹", "previous")}
      <span role="status">
        {at + 1} / {versions.length}
      </span>
      {step(1, "›", "next")}
    </fieldset>
  );
}
