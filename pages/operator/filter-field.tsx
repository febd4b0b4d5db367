import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import { MAX_MOMENT } from "./forms/moment-field.tsx";

interface FilterTextProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

interface FilterChoiceProps extends FilterTextProps {
  /** Values with their words. */
  readonly choices: readonly (readonly [string, string])[];
}

interface FilterTimeProps extends Omit<FilterTextProps, "value"> {
  /** In UTC; empty: none. The field itself works in local time. */
  readonly iso: string;
}

/** Takes effect when it is left, or with Enter. */
export function FilterText({ label, value, onChange }: FilterTextProps) {
  const { draft, setDraft } = useDraft(value);
  const id = useId();
  return (
    <div>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        spellcheck={false}
        autocomplete="off"
        value={draft}
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
        onChange={() => onChange(draft.trim())}
      />
    </div>
  );
}

export function FilterTime({ label, iso, onChange }: FilterTimeProps) {
  const { draft, setDraft } = useDraft(localOf(iso));
  const [isUnfinished, setUnfinished] = useState(false);
  const id = useId();
  const place = useRef<HTMLInputElement>(null);
  const take = () => {
    const hasPart = place.current?.validity.badInput === true;
    setUnfinished(hasPart);
    if (!hasPart && draft !== localOf(iso)) onChange(isoOf(draft));
  };
  useEffect(() => {
    // a part is empty for the draft, and would stay
    if (place.current?.validity.badInput === true) place.current.value = localOf(iso);
    setUnfinished(false);
  }, [iso]);
  return (
    <div>
      <label for={id}>{label}</label>
      <input
        ref={place}
        id={id}
        type="datetime-local"
        max={MAX_MOMENT}
        value={draft}
        aria-invalid={isUnfinished}
        aria-describedby={isUnfinished ? `${id}-problem` : undefined}
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
        onBlur={take}
        onKeyDown={({ key }) => {
          if (key === "Enter") take();
        }}
      />
      {isUnfinished && (
        <div class="warning" id={`${id}-problem`} role="alert">
          {t("operator.form.unfinished")}
        </div>
      )}
    </div>
  );
}

export function FilterChoice({ label, value, onChange, choices }: FilterChoiceProps) {
  const id = useId();
  return (
    <div>
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        <option value="">{t("operator.all")}</option>
        {choices.map(([choice, words]) => (
          <option key={choice} value={choice}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

/** What is being typed; the page may be drawn anew meanwhile. */
function useDraft(value: string) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  return { draft, setDraft };
}

const MINUTE_MS = 60_000;
const LOCAL_LENGTH = "2026-01-01T00:00".length;

function localOf(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * MINUTE_MS);
  return shifted.toISOString().slice(0, LOCAL_LENGTH);
}

function isoOf(local: string): string {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
