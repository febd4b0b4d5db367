import type { ComponentChildren, InputHTMLAttributes, SelectHTMLAttributes } from "preact";
import type { FormState } from "./use-form.ts";

export interface FieldProps {
  readonly form: FormState;
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** Below the input, for what else belongs to it. */
  readonly children?: ComponentChildren;
}

interface BoundProps {
  readonly id: string;
  readonly value: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean;
  readonly onInput: (event: { currentTarget: { value: string } }) => void;
}

/** A label, what is typed, and what was wrong with it. */
function Field(props: FieldProps & { readonly input: (bound: BoundProps) => ComponentChildren }) {
  const { form, name, label, hint, children, input } = props;
  const id = form.idOf(name);
  const problem = form.problemOf(name);
  const said = [problem !== null && `${id}-problem`, hint !== undefined && `${id}-hint`];
  const describedBy = said.filter((one) => one !== false).join(" ");
  const bound = {
    id,
    value: form.draft[name] ?? "",
    "aria-describedby": describedBy === "" ? undefined : describedBy,
    "aria-invalid": problem !== null,
    onInput: ({ currentTarget }: { currentTarget: { value: string } }) =>
      form.set(name, currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {input(bound)}
      {problem !== null && (
        <div class="warning" id={`${id}-problem`}>
          {problem}
        </div>
      )}
      {hint !== undefined && (
        <div class="quiet hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {children}
    </div>
  );
}

interface TextFieldProps extends FieldProps {
  readonly more?: InputHTMLAttributes<HTMLInputElement>;
}

export function TextField({ more, ...props }: TextFieldProps) {
  const input = (bound: BoundProps) => (
    <input autocomplete="off" spellcheck={false} {...more} {...bound} />
  );
  return <Field {...props} input={input} />;
}

/** A whole number or exact dollars: as text, so that nothing is rounded on the way. */
export function NumberField({ more, ...props }: TextFieldProps) {
  return <TextField {...props} more={{ inputMode: "decimal", class: "number", ...more }} />;
}

interface LinesFieldProps extends FieldProps {
  /** Nobody beside the reader is to see it. */
  readonly isHidden?: boolean;
}

/** Something in each line. */
export function LinesField({ isHidden = false, ...props }: LinesFieldProps) {
  const input = (bound: BoundProps) => (
    <textarea
      autocomplete="off"
      spellcheck={false}
      rows={2}
      class={isHidden ? "hidden-lines" : undefined}
      {...bound}
    />
  );
  return <Field {...props} input={input} />;
}

interface ChoiceFieldProps extends FieldProps {
  readonly choices: readonly (readonly [value: string, label: string])[];
  readonly more?: SelectHTMLAttributes<HTMLSelectElement>;
}

export function ChoiceField({ choices, more, ...props }: ChoiceFieldProps) {
  const input = (bound: BoundProps) => (
    <select {...more} {...bound}>
      {choices.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
  return <Field {...props} input={input} />;
}

/** The draft holds "yes" or nothing. */
export function TickField({ form, name, label }: Pick<FieldProps, "form" | "name" | "label">) {
  return (
    <label class="tick">
      <input
        id={form.idOf(name)}
        type="checkbox"
        checked={form.draft[name] === "yes"}
        onChange={({ currentTarget }) => form.set(name, currentTarget.checked ? "yes" : "")}
      />{" "}
      {label}
    </label>
  );
}
