import { useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { useAsked } from "../asked.ts";
import { ChoiceField, NumberField, TextField } from "../forms/field.tsx";
import { DraftForm } from "../forms/form.tsx";
import { Title } from "../forms/title.tsx";
import { type FormState, useForm } from "../forms/use-form.ts";
import { goTo, hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { Fold } from "../tokens/options.tsx";
import { type Upstream, type Upstreams, upstreamKinds, upstreamPath } from "./routing.ts";
import { SecretFields } from "./secret-fields.tsx";
import { emptyUpstream, upstreamChanges, upstreamDraft } from "./upstream-draft.ts";

export function CreateUpstream() {
  const { answer, problem, again } = useAsked<Upstreams>("upstreams");
  return (
    <>
      <Title>{t("operator.routing.new_upstream")}</Title>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && <UpstreamForm upstream={null} canSeal={answer.seals_secrets} />}
    </>
  );
}

export function EditUpstream({ name }: { readonly name: string }) {
  const { answer, problem, again } = useAsked<Upstreams>("upstreams");
  const upstream = answer?.upstreams.find((one) => one.name === name);
  return (
    <>
      <Title>{name}</Title>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && upstream === undefined && (
        <p class="empty">{t("operator.routing.gone", { name })}</p>
      )}
      {answer !== null && upstream !== undefined && (
        <UpstreamForm upstream={upstream} canSeal={answer.seals_secrets} />
      )}
    </>
  );
}

interface UpstreamFormProps {
  readonly upstream: Upstream | null;
  readonly canSeal: boolean;
}

function UpstreamForm({ upstream, canSeal }: UpstreamFormProps) {
  const [stored] = useState(() => (upstream === null ? emptyUpstream : upstreamDraft(upstream)));
  const form = useForm({
    initial: stored,
    save: (draft) => {
      if (upstream !== null) {
        return ask<Upstream>("PATCH", upstreamPath(upstream.name), upstreamChanges(stored, draft));
      }
      return ask<Upstream>("POST", "upstreams", upstreamChanges(emptyUpstream, draft));
    },
    onSaved: ({ name }) => goTo("routing", "upstream", name),
  });
  const back = upstream === null ? ["routing"] : ["routing", "upstream", upstream.name];
  const hasTimes = ["concurrency", "answer_seconds", "first_token_seconds"].some(
    (name) => stored[name] !== "",
  );
  return (
    <DraftForm form={form} action={t("operator.form.save")} back={hrefOf(...back)}>
      {upstream === null && (
        <TextField
          form={form}
          name="name"
          label={t("operator.form.field.name")}
          hint={t("operator.routing.name_hint")}
        />
      )}
      <Address form={form} />
      <SecretFields form={form} upstream={upstream} canSeal={canSeal} />
      <Fold title={t("operator.routing.bounds")} isOpen={hasTimes}>
        {["concurrency", "answer_seconds", "first_token_seconds"].map((name) => (
          <NumberField
            key={name}
            form={form}
            name={name}
            label={t(`operator.routing.of.${name}`)}
          />
        ))}
      </Fold>
    </DraftForm>
  );
}

function Address({ form }: { readonly form: FormState }) {
  return (
    <div class="fields">
      <TextField
        form={form}
        name="url"
        label={t("operator.routing.of.url")}
        more={{ inputMode: "url", placeholder: "https://api.example.com/v1" }}
      />
      <ChoiceField
        form={form}
        name="kind"
        label={t("operator.routing.of.kind")}
        choices={upstreamKinds.map((kind) => [kind, t(`operator.routing.kinds.${kind}`)])}
      />
      <TextField
        form={form}
        name="models"
        label={t("operator.routing.of.models")}
        hint={t("operator.routing.models_hint")}
      />
    </div>
  );
}
