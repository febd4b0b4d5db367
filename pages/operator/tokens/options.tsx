import type { ComponentChildren } from "preact";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { ChoiceField, NumberField, TextField, TickField } from "../forms/field.tsx";
import { MomentField } from "../forms/moment-field.tsx";
import type { FormState } from "../forms/use-form.ts";
import { limitNames, quotaNames } from "./token.ts";

export const fieldLabel = (name: string) => t(`operator.form.field.${name}`);

interface FoldProps {
  readonly title: string;
  readonly isOpen: boolean;
  /** Two in a row. */
  readonly isPaired?: boolean;
  readonly children: ComponentChildren;
}

/** Open where something in it is set. */
export function Fold({ title, isOpen, isPaired = false, children }: FoldProps) {
  return (
    <details open={isOpen}>
      <summary>{title}</summary>
      <div class={isPaired ? "fields pairs" : "fields"}>{children}</div>
    </details>
  );
}

interface PartProps {
  readonly form: FormState;
  /** Whether one of the fields was set at first. */
  readonly isSet: (names: readonly string[]) => boolean;
}

/** What tokens and groups have. */
export function QuotaFields({ form, isSet }: PartProps) {
  return (
    <Fold title={t("operator.form.quotas")} isOpen={isSet(quotaNames)} isPaired>
      {quotaNames.map((name) => (
        <NumberField key={name} form={form} name={name} label={fieldLabel(name)} />
      ))}
    </Fold>
  );
}

interface TokenFieldsProps extends PartProps {
  /** Whether it has an OpenAI key of its own, which may be taken away. */
  readonly hasKey: boolean;
}

/** Everything of a token but its name: folded, as few need more than a name. */
export function TokenFields({ form, isSet, hasKey }: TokenFieldsProps) {
  return (
    <>
      <Fold title={t("operator.tokens.scope")} isOpen={isSet(["comment", "expires", "models"])}>
        <TextField form={form} name="comment" label={fieldLabel("comment")} />
        <MomentField
          form={form}
          name="expires"
          label={fieldLabel("expires")}
          unset={t("operator.form.never")}
          days={[30, 365]}
        />
        <TextField
          form={form}
          name="models"
          label={fieldLabel("models")}
          hint={t("operator.form.models_hint")}
        />
      </Fold>
      <QuotaFields form={form} isSet={isSet} />
      <Fold title={t("operator.tokens.limits")} isOpen={isSet(limitNames)}>
        {limitNames.map((name) => (
          <NumberField key={name} form={form} name={name} label={fieldLabel(name)} />
        ))}
      </Fold>
      <Fold title={t("operator.tokens.sources")} isOpen={isSet(["group"]) || hasKey}>
        <GroupChoice form={form} />
        <OwnKey form={form} hasKey={hasKey} />
      </Fold>
    </>
  );
}

/** As many as one page of groups has. */
const MAX_GROUPS = 1_000;

function GroupChoice({ form }: { readonly form: FormState }) {
  const path = `groups?limit=${MAX_GROUPS}`;
  const { answer } = useAsked<{ readonly groups: readonly { readonly name: string }[] }>(path);
  const chosen = form.draft.group ?? "";
  const names = new Set(answer?.groups.map(({ name }) => name) ?? []);
  if (chosen !== "") names.add(chosen);
  const choices = [...names].map((name) => [name, name] as const);
  const hint = answer?.groups.length === 0 ? t("operator.tokens.no_groups") : undefined;
  return (
    <ChoiceField
      form={form}
      name="group"
      label={fieldLabel("group")}
      choices={[["", t("operator.form.none")], ...choices]}
      {...(hint !== undefined && { hint })}
    />
  );
}

function OwnKey({ form, hasKey }: { readonly form: FormState; readonly hasKey: boolean }) {
  const { answer } = useAsked<{ readonly seals_secrets?: boolean }>("upstreams");
  const isForbidden = answer?.seals_secrets === false;
  const kept = t(hasKey ? "operator.form.key_kept" : "operator.tokens.key_hint");
  return (
    <TextField
      form={form}
      name="upstream_key"
      label={fieldLabel("upstream_key")}
      hint={isForbidden ? t("operator.form.no_secret_key") : kept}
      more={{ type: "password", autocomplete: "new-password", disabled: isForbidden }}
    >
      {hasKey && <TickField form={form} name="drop_key" label={t("operator.tokens.drop_key")} />}
    </TextField>
  );
}
