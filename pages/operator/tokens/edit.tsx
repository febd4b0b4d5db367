import { useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { useAsked } from "../asked.ts";
import { TextField } from "../forms/field.tsx";
import { DraftForm } from "../forms/form.tsx";
import { Title } from "../forms/title.tsx";
import { useForm } from "../forms/use-form.ts";
import { goTo, hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { tokenChangesIn, tokenDraft } from "./draft.ts";
import { fieldLabel, TokenFields } from "./options.tsx";
import type { Token } from "./token.ts";

export function EditToken({ id }: { readonly id: string }) {
  const { answer, problem, again } = useAsked<Token>(`tokens/${encodeURIComponent(id)}`);
  return (
    <>
      <Title>{answer === null ? t("operator.form.edit") : answer.name}</Title>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && <EditForm token={answer} />}
    </>
  );
}

/** Only what was changed is sent: what somebody else changed meanwhile stays. */
function EditForm({ token }: { readonly token: Token }) {
  const [initial] = useState(() => tokenDraft(token));
  const back = ["tokens", token.id];
  const form = useForm({
    initial,
    save: (draft) =>
      ask("PATCH", `tokens/${encodeURIComponent(token.id)}`, tokenChangesIn(initial, draft)),
    onSaved: () => goTo(...back),
  });
  const isSet = (names: readonly string[]) => names.some((name) => initial[name] !== "");
  return (
    <DraftForm form={form} action={t("operator.form.save")} back={hrefOf(...back)}>
      <TextField form={form} name="name" label={fieldLabel("name")} />
      <TokenFields form={form} isSet={isSet} hasKey={token.own_upstream_key} />
    </DraftForm>
  );
}
