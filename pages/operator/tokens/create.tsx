import { useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { useAsked } from "../asked.ts";
import { NumberField, TextField } from "../forms/field.tsx";
import { DraftForm } from "../forms/form.tsx";
import { type MadeToken, Secret } from "../forms/secret.tsx";
import { Title } from "../forms/title.tsx";
import { type Draft, useForm } from "../forms/use-form.ts";
import { goTo, hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { emptyDraft, tokenChangesIn, tokenDraft } from "./draft.ts";
import { Fold, fieldLabel, TokenFields } from "./options.tsx";
import type { Token } from "./token.ts";

/** One token or several, from nothing or like another one. */
export function CreateToken({ like }: { readonly like: string | null }) {
  const path = like === null ? null : `tokens/${encodeURIComponent(like)}`;
  const { answer, problem, again } = useAsked<Token>(path);
  const [made, setMade] = useState<readonly MadeToken[]>([]);
  if (made.length > 0) return <Made made={made} />;
  return (
    <>
      <Title>{t("operator.tokens.new")}</Title>
      <Problem problem={problem} onAgain={again} />
      {like === null && <CreateForm like={null} onMade={setMade} />}
      {answer !== null && <CreateForm like={answer} onMade={setMade} />}
    </>
  );
}

function Made({ made }: { readonly made: readonly MadeToken[] }) {
  const [first] = made;
  const onDone = () => goTo("tokens", ...(made.length === 1 ? [first?.id ?? ""] : []));
  return (
    <>
      <Title>{t("operator.tokens.made")}</Title>
      <Secret made={made} onDone={onDone} />
    </>
  );
}

interface CreateFormProps {
  readonly like: Token | null;
  readonly onMade: (made: readonly MadeToken[]) => void;
}

type Answer = MadeToken | { readonly tokens: readonly MadeToken[] };

function CreateForm({ like, onMade }: CreateFormProps) {
  const stored = like === null ? emptyDraft : tokenDraft(like);
  const [initial] = useState<Draft>(() => ({ ...stored, ...fresh(like), name: "", count: "" }));
  const form = useForm<Answer>({
    initial,
    save: (draft) => ask("POST", "tokens", bodyOf(like, stored, draft)),
    onSaved: (answer) => onMade("tokens" in answer ? answer.tokens : [answer]),
  });
  const isSet = (names: readonly string[]) => names.some((name) => (initial[name] ?? "") !== "");
  return (
    <DraftForm form={form} action={t("operator.tokens.create")} back={hrefOf("tokens")}>
      {like !== null && <p class="quiet">{t("operator.tokens.like", { name: like.name })}</p>}
      <TextField form={form} name="name" label={fieldLabel("name")} />
      <Fold title={t("operator.tokens.several")} isOpen={false}>
        <NumberField
          form={form}
          name="count"
          label={fieldLabel("count")}
          hint={t("operator.tokens.count_hint")}
        />
      </Fold>
      <TokenFields form={form} isSet={isSet} hasKey={like?.own_upstream_key === true} />
    </DraftForm>
  );
}

/** A template may have expired; its copies have not. */
function fresh(like: Token | null): Draft {
  return like?.state === "expired" ? { expires: "" } : {};
}

function bodyOf(like: Token | null, stored: Draft, draft: Draft): object {
  const { name, count, ...rest } = draft;
  const { name: _, ...template } = stored;
  const body = { name: name ?? "", ...tokenChangesIn(template, rest) };
  const more = { ...(like !== null && { like: like.id }), ...(count !== "" && { count }) };
  return { ...body, ...more };
}
