import type { Ref } from "preact";

interface QuestionFieldProps {
  readonly field?: Ref<HTMLTextAreaElement>;
  readonly id?: string;
  readonly label?: string;
  readonly describedBy?: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
  readonly onSend: () => void;
}

/** Older browsers tell the Enter that ends the composition of a word by this code alone. */
const COMPOSING = 229;

/** Enter sends, Shift+Enter starts a line. */
export function QuestionField(props: QuestionFieldProps) {
  const { field, id, label, describedBy, value, onInput, onSend } = props;
  return (
    <textarea
      {...(field !== undefined && { ref: field })}
      id={id}
      class="asking"
      rows={2}
      aria-label={label}
      aria-describedby={describedBy}
      value={value}
      onInput={({ currentTarget }) => onInput(currentTarget.value)}
      onKeyDown={(event) => {
        const { key, shiftKey, isComposing, keyCode } = event;
        if (key !== "Enter" || shiftKey || isComposing || keyCode === COMPOSING) return;
        event.preventDefault();
        onSend();
      }}
    />
  );
}
