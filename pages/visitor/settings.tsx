import type { RefObject } from "preact";
import { useId, useState } from "preact/hooks";
import { data } from "../shared/data.ts";
import { labeled } from "../shared/format.ts";
import { KeyField } from "../shared/key-field.tsx";
import { getJson } from "../shared/requests.ts";
import { t } from "../shared/texts.ts";
import { LengthField } from "./length-field.tsx";
import { modelIn, type Settings } from "./question.ts";

interface SettingsProps {
  readonly settings: Settings;
  readonly credential: string;
  readonly keyField: RefObject<HTMLInputElement | null>;
  readonly onChange: (settings: Settings) => void;
  readonly onCredential: (credential: string) => void;
}

export const REMEMBERED_AS = "key";

/** What goes with a question, behind one disclosure; open where a key has to be given. */
export function SettingsFields(props: SettingsProps) {
  const { settings, credential, keyField, onChange, onCredential } = props;
  const id = useId();
  const [isOpen] = useState(!data.sharedKey && credential === "");
  const change = (part: Partial<Settings>) => onChange({ ...settings, ...part });
  return (
    <details open={isOpen}>
      <summary>{labeled(t("visitor.settings"), modelIn(settings.model))}</summary>
      <div class="fields">
        <KeyField
          field={keyField}
          name={REMEMBERED_AS}
          label={t("visitor.credential")}
          note={t("sentences", {
            first: t(data.sharedKey ? "visitor.optional" : "visitor.required"),
            second: t("visitor.memory"),
          })}
          value={credential}
          onChange={onCredential}
        />
        <ModelField
          value={settings.model}
          credential={credential}
          onChange={(model) => change({ model })}
        />
        <div>
          <LengthField onChange={(maxTokens) => change({ maxTokens })} />
          <label>
            <input
              type="checkbox"
              checked={settings.continuous}
              onChange={({ currentTarget }) => change({ continuous: currentTarget.checked })}
            />{" "}
            {t("visitor.continuous")}
          </label>
        </div>
      </div>
      <label for={`${id}-system`}>{t("visitor.system")}</label>
      <textarea
        id={`${id}-system`}
        rows={2}
        value={settings.system}
        onInput={({ currentTarget }) => change({ system: currentTarget.value })}
      />
    </details>
  );
}

interface ModelFieldProps {
  readonly value: string;
  readonly credential: string;
  readonly onChange: (model: string) => void;
}

/** More names are no help in a list. */
const MAX_MODELS = 500;

/** The operator's models, or any name, with what the caller's credential may use to choose from. */
function ModelField({ value, credential, onChange }: ModelFieldProps) {
  const id = useId();
  const [names, setNames] = useState<readonly string[]>(data.models);
  const load = () => {
    if (credential.trim() === "" || data.models.length > 0) return;
    const found = getJson<{ data: readonly { id: string }[] }>("v1/models", credential);
    void found.then(
      (list) => setNames(list.data.slice(0, MAX_MODELS).map((model) => model.id)),
      () => setNames([]),
    );
  };
  return (
    <div>
      <label for={id}>{t("visitor.model")}</label>
      <input
        id={id}
        list={`${id}-names`}
        spellcheck={false}
        placeholder={data.model}
        value={value}
        onFocus={load}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <datalist id={`${id}-names`}>
        {[...new Set([data.model, ...names])].map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  );
}
