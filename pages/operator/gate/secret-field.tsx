import { useEffect, useId, useRef } from "preact/hooks";

interface SecretFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Helps password managers: is it known, or chosen now? */
  readonly isNew?: boolean;
  readonly note?: string;
  readonly wrong?: string;
  /** A number gives it the focus, and another one gives it again. */
  readonly focused?: number;
}

export function SecretField(props: SecretFieldProps) {
  const { label, value, onChange, isNew = false, note, wrong = "", focused } = props;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focused !== undefined) field.current?.focus();
  }, [focused]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        ref={field}
        type="password"
        autocomplete={isNew ? "new-password" : "current-password"}
        spellcheck={false}
        aria-invalid={wrong !== ""}
        aria-describedby={`${id}-note`}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <div id={`${id}-note`} class={wrong === "" ? "quiet" : "warning"}>
        {wrong === "" ? note : wrong}
      </div>
    </div>
  );
}
