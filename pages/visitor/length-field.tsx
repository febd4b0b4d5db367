import { useId, useState } from "preact/hooks";
import { data } from "../shared/data.ts";
import { t } from "../shared/texts.ts";

interface LengthFieldProps {
  /** Null: none that the server would take. */
  readonly onChange: (tokens: number | null) => void;
}

/** How long an answer may be. What was typed stays, also where it is wrong, or nothing at all. */
export function LengthField({ onChange }: LengthFieldProps) {
  const id = useId();
  const [isValid, setValid] = useState(true);
  const limits = { max: data.maxTokensLimit, usual: data.maxTokens };
  return (
    <>
      <label for={id}>{t("visitor.max_tokens")}</label>
      <input
        id={id}
        type="number"
        min={1}
        max={data.maxTokensLimit}
        placeholder={String(data.maxTokens)}
        defaultValue={String(data.maxTokens)}
        aria-invalid={!isValid}
        aria-describedby={isValid ? undefined : `${id}-wrong`}
        onInput={({ currentTarget: { validity, value } }) => {
          setValid(validity.valid);
          onChange(validity.valid && value !== "" ? Number(value) : null);
        }}
      />
      {!isValid && (
        <div class="warning" id={`${id}-wrong`}>
          {t("visitor.max_tokens_wrong", limits)}
        </div>
      )}
    </>
  );
}
