import { useId } from "preact/hooks";
import { t } from "../shared/texts.ts";
import type { Operation, Parameter } from "./document.ts";
import { type Filled, formFieldsOf, isSecret, keyOfParameter, parsedBody } from "./request.ts";

interface InputsProps {
  readonly operation: Operation;
  readonly filled: Filled;
  readonly onChange: (change: Partial<Filled>) => void;
}

/** Everything of a request that can be filled in. */
export function Inputs({ operation, filled, onChange }: InputsProps) {
  const { parameters, json, form } = operation;
  const inPath = parameters.filter((one) => one.in === "path");
  const others = parameters.filter((one) => one.in !== "path");
  const fieldFor = (parameter: Parameter) => {
    const key = keyOfParameter(parameter);
    return (
      <TextField
        key={key}
        label={parameter.name}
        isSecret={isSecret(parameter)}
        value={filled.parameters[key] ?? ""}
        onChange={(value) => onChange({ parameters: { ...filled.parameters, [key]: value } })}
      />
    );
  };
  return (
    <>
      {inPath.length > 0 && <div class="fields">{inPath.map(fieldFor)}</div>}
      {others.length > 0 && (
        <details>
          <summary>{t("viewer.parameters")}</summary>
          <div class="fields">{others.map(fieldFor)}</div>
        </details>
      )}
      {json !== null && form !== null && (
        <label>
          <input
            type="checkbox"
            checked={filled.usesForm}
            onChange={({ currentTarget }) => onChange({ usesForm: currentTarget.checked })}
          />{" "}
          {t("viewer.as_form")}
        </label>
      )}
      {json !== null && !filled.usesForm && (
        <JsonField operation={operation} filled={filled} onChange={onChange} />
      )}
      {filled.usesForm && <FormInputs operation={operation} filled={filled} onChange={onChange} />}
    </>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly isSecret?: boolean;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function TextField({ label, isSecret: isHidden = false, value, onChange }: TextFieldProps) {
  const id = useId();
  const props = {
    ...{ id, value, autocomplete: "off", spellcheck: false },
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
      onChange(currentTarget.value),
  };
  return (
    <div>
      <label for={id}>
        <code>{label}</code>
      </label>
      {isHidden ? <input type="password" {...props} /> : <input type="text" {...props} />}
    </div>
  );
}

const MAX_ROWS = 24;
const EVENTS = "text/event-stream";

/** The body as text; a stream is asked for by a field of it. */
function JsonField({ operation, filled, onChange }: InputsProps) {
  const id = useId();
  const { body } = filled;
  const parsed = parsedBody(filled);
  const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  const mayStream = operation.responses.some(([, { content = {} }]) => EVENTS in content);
  const stream = (wanted: boolean) => {
    const { stream: _before, ...rest } = Object(parsed);
    const next = wanted ? { ...rest, stream: true } : rest;
    onChange({ body: JSON.stringify(next, null, 2) });
  };
  return (
    <>
      <label for={id}>{t("viewer.json")}</label>
      <textarea
        id={id}
        class="api-body"
        spellcheck={false}
        rows={Math.min(MAX_ROWS, body.split("\n").length + 1)}
        aria-invalid={parsed === undefined}
        aria-describedby={parsed === undefined ? `${id}-wrong` : undefined}
        value={body}
        onInput={({ currentTarget }) => onChange({ body: currentTarget.value })}
      />
      {parsed === undefined && (
        <p class="warning" id={`${id}-wrong`}>
          {t("viewer.bad_json")}
        </p>
      )}
      {mayStream && isObject && (
        <label>
          <input
            type="checkbox"
            checked={Reflect.get(parsed, "stream") === true}
            onChange={({ currentTarget }) => stream(currentTarget.checked)}
          />{" "}
          {t("viewer.stream")}
        </label>
      )}
    </>
  );
}

function FormInputs({ operation, filled, onChange }: InputsProps) {
  const id = useId();
  return (
    <div class="fields">
      {formFieldsOf(operation).map(({ name, isFile }) =>
        isFile ? (
          <div key={name}>
            <label for={`${id}-${name}`}>
              <code>{name}</code>
            </label>
            <input
              id={`${id}-${name}`}
              type="file"
              onChange={({ currentTarget: { files } }) => {
                const { [name]: _before, ...rest } = filled.files;
                const chosen = files?.[0];
                onChange({ files: chosen === undefined ? rest : { ...rest, [name]: chosen } });
              }}
            />
          </div>
        ) : (
          <TextField
            key={name}
            label={name}
            value={filled.form[name] ?? ""}
            onChange={(value) => onChange({ form: { ...filled.form, [name]: value } })}
          />
        ),
      )}
    </div>
  );
}
