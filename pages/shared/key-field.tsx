import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { remember, remembered } from "./storage.ts";
import { t } from "./texts.ts";

interface KeyFieldProps {
  /** For who moves the focus there. */
  readonly field?: RefObject<HTMLInputElement | null>;
  /** What it is remembered as. */
  readonly name: string;
  readonly label: string;
  readonly note: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Beside the field. */
  readonly children?: ComponentChildren;
}

/** A key or token: in memory, and on this device only if the reader wants that. */
export function KeyField({ field, name, label, note, value, onChange, children }: KeyFieldProps) {
  const id = useId();
  const [isKept, setKept] = useState(() => remembered(name) !== null);
  useEffect(() => {
    // it was forgotten in another tab
    const look = () => setKept(remembered(name) !== null);
    addEventListener("storage", look);
    return () => removeEventListener("storage", look);
  }, []);
  const keep = (wanted: boolean) => {
    setKept(wanted);
    remember(name, wanted ? value : null);
  };
  return (
    <div>
      <label for={id}>{label}</label>
      <div class="row given">
        <input
          {...(field !== undefined && { ref: field })}
          id={id}
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-describedby={`${id}-note`}
          value={value}
          onInput={({ currentTarget }) => {
            onChange(currentTarget.value);
            if (isKept) remember(name, currentTarget.value);
          }}
        />
        {children}
      </div>
      <div class="row">
        <label>
          <input
            type="checkbox"
            checked={isKept}
            onChange={({ currentTarget }) => keep(currentTarget.checked)}
          />{" "}
          {t("remember")}
        </label>
        {isKept && (
          <button
            type="button"
            class="plain"
            onClick={() => {
              keep(false);
              onChange("");
              // this button goes
              field?.current?.focus();
            }}
          >
            {t("forget")}
          </button>
        )}
      </div>
      <div class="quiet" id={`${id}-note`}>
        {note}
      </div>
    </div>
  );
}
