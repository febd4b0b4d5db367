import { useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { useAsked } from "../asked.ts";
import { NumberField, TextField } from "../forms/field.tsx";
import { DraftForm } from "../forms/form.tsx";
import { isoOf, MomentField } from "../forms/moment-field.tsx";
import { Title } from "../forms/title.tsx";
import { type Draft, type FormState, filledIn, useForm } from "../forms/use-form.ts";
import { goTo, hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { Fold } from "../tokens/options.tsx";
import { priceLabel } from "./columns.tsx";
import {
  type Price,
  type PricesAnswer,
  partNames,
  priceNames,
  pricesPath,
  sideNames,
  tierNames,
  unitNames,
} from "./price.ts";

/** A price from now or from a moment on; earlier records keep theirs. */
export function SetPrice({ model }: { readonly model: string | null }) {
  const path = model === null ? null : pricesPath(model, false);
  const { answer, problem, again } = useAsked<PricesAnswer>(path);
  const isKnown = model === null || answer !== null;
  return (
    <>
      <Title>{model ?? t("operator.prices.new")}</Title>
      <Problem problem={problem} onAgain={again} />
      {isKnown && <PriceForm model={model} price={answer?.prices[0] ?? null} />}
    </>
  );
}

interface PriceFormProps {
  readonly model: string | null;
  /** What holds now. */
  readonly price: Price | null;
}

function PriceForm({ model, price }: PriceFormProps) {
  const [initial] = useState<Draft>(() => ({
    model: model ?? "",
    since: "",
    ...Object.fromEntries(priceNames.map((name) => [name, price?.[name] ?? ""])),
  }));
  const form = useForm({
    initial,
    save: (draft) => ask<Price>("POST", "prices", bodyOf(draft)),
    onSaved: (saved) => goTo("prices", "model", saved.model),
  });
  const back = model === null ? hrefOf("prices") : hrefOf("prices", "model", model);
  return (
    <DraftForm form={form} action={t("operator.form.save")} back={back}>
      <p class="quiet">{t("operator.prices.unit")}</p>
      {model === null && (
        <TextField
          form={form}
          name="model"
          label={t("operator.prices.model")}
          hint={t("operator.prices.model_hint")}
        />
      )}
      <div class="fields">
        <PriceFields form={form} names={sideNames} />
        <MomentField
          form={form}
          name="since"
          label={t("operator.prices.since")}
          unset={t("operator.prices.now")}
        />
      </div>
      {folds.map(([title, names]) => (
        <Fold
          key={title}
          title={t(`operator.prices.${title}`)}
          isOpen={names.some((name) => initial[name] !== "")}
        >
          <PriceFields form={form} names={names} />
        </Fold>
      ))}
    </DraftForm>
  );
}

const folds = [
  ["parts", partNames],
  ["tiers", tierNames],
  ["units", unitNames],
] as const;

interface PriceFieldsProps {
  readonly form: FormState;
  readonly names: readonly string[];
}

function PriceFields({ form, names }: PriceFieldsProps) {
  return (
    <>
      {names.map((name) => (
        <NumberField key={name} form={form} name={name} label={priceLabel(name)} />
      ))}
    </>
  );
}

function bodyOf(draft: Draft): object {
  const { since, ...rest } = filledIn(draft);
  return { ...rest, ...(since !== undefined && { since: isoOf(since) }) };
}
