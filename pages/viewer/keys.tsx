import { useId } from "preact/hooks";
import { data } from "../shared/data.ts";
import { KeyField } from "../shared/key-field.tsx";
import { t } from "../shared/texts.ts";
import type { Needs } from "./document.ts";

/** Whose key; each is asked for once. */
export type Keys = Readonly<Record<"caller" | "admin" | "metrics", string>>;

/** What the visitor's page remembers a key as. */
export const REMEMBERED_AS = "key";
export const noKeys: Keys = { caller: "", admin: "", metrics: "" };

export function keyFor(needs: Needs, keys: Keys): string {
  if (needs === "none") return "";
  return keys[needs === "optional" ? "caller" : needs];
}

interface CredentialProps {
  readonly needs: Needs;
  readonly keys: Keys;
  readonly onChange: (keys: Keys) => void;
}

/** Where the key is given. What the operator's doors need is never remembered. */
export function Credential({ needs, keys, onChange }: CredentialProps) {
  if (needs === "none") return null;
  if (needs === "admin" || needs === "metrics") {
    return (
      <SecretField
        name={`${needs.toUpperCase()}_TOKEN`}
        note={t(needs === "admin" ? "viewer.admin_note" : "viewer.secret_note")}
        value={keys[needs]}
        onChange={(value) => onChange({ ...keys, [needs]: value })}
      />
    );
  }
  const isOptional = needs === "optional" && data.sharedKey;
  return (
    <KeyField
      name={REMEMBERED_AS}
      label={t("visitor.credential")}
      note={`${t(isOptional ? "visitor.optional" : "viewer.needs.caller")} ${t("visitor.memory")}`}
      value={keys.caller}
      onChange={(caller) => onChange({ ...keys, caller })}
    />
  );
}

interface SecretFieldProps {
  readonly name: string;
  readonly note: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function SecretField({ name, note, value, onChange }: SecretFieldProps) {
  const id = useId();
  return (
    <div>
      <label for={id}>{name}</label>
      <input
        id={id}
        type="password"
        autocomplete="off"
        spellcheck={false}
        aria-describedby={`${id}-note`}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <div class="quiet" id={`${id}-note`}>
        {note}
      </div>
    </div>
  );
}
