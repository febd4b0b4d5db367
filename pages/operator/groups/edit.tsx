import { useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { useAsked } from "../asked.ts";
import { TextField } from "../forms/field.tsx";
import { DraftForm } from "../forms/form.tsx";
import { Title } from "../forms/title.tsx";
import { changesIn, type Draft, type FormState, filledIn, useForm } from "../forms/use-form.ts";
import { goTo, hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { purseDraft } from "../tokens/draft.ts";
import { fieldLabel, QuotaFields } from "../tokens/options.tsx";
import { quotaNames } from "../tokens/token.ts";
import { type Group, groupPath } from "./group.ts";

const empty: Draft = Object.fromEntries(
  ["name", "comment", ...quotaNames].map((name) => [name, ""]),
);

export function CreateGroup() {
  const form = useForm({
    initial: empty,
    save: (draft) => ask<Group>("POST", "groups", filledIn(draft)),
    onSaved: ({ name }) => goTo("groups", "show", name),
  });
  return (
    <>
      <Title>{t("operator.groups.new")}</Title>
      <DraftForm form={form} action={t("operator.groups.create")} back={hrefOf("groups")}>
        <TextField form={form} name="name" label={fieldLabel("name")} />
        <Rest form={form} />
      </DraftForm>
    </>
  );
}

export function EditGroup({ name }: { readonly name: string }) {
  const { answer, problem, again } = useAsked<Group>(groupPath(name));
  return (
    <>
      <Title>{name}</Title>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && <EditForm group={answer} />}
    </>
  );
}

function EditForm({ group }: { readonly group: Group }) {
  const [initial] = useState(() => purseDraft(group));
  const back = ["groups", "show", group.name];
  const form = useForm({
    initial,
    save: (draft) => ask("PATCH", groupPath(group.name), changesIn(initial, draft)),
    onSaved: () => goTo(...back),
  });
  return (
    <DraftForm form={form} action={t("operator.form.save")} back={hrefOf(...back)}>
      <Rest form={form} />
    </DraftForm>
  );
}

function Rest({ form }: { readonly form: FormState }) {
  return (
    <>
      <TextField form={form} name="comment" label={fieldLabel("comment")} />
      <QuotaFields form={form} isSet={() => true} />
    </>
  );
}
