import { useRef, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask, Denied } from "../api.ts";
import { pathWith } from "../asked.ts";
import { ChoiceField, TextField } from "../forms/field.tsx";
import { DraftForm } from "../forms/form.tsx";
import { Title } from "../forms/title.tsx";
import { type Draft, useForm } from "../forms/use-form.ts";
import { hrefOf } from "../fragment.ts";
import { type Imported, ImportResult } from "./import-result.tsx";

const sources = ["shipped", "own", "litellm"] as const;
const initial: Draft = { source: "shipped", file: "", provider: "" };

/** Parley's own list, or a file in its form or in LiteLLM's. */
export function ImportPrices() {
  const [done, setDone] = useState<Imported | null>(null);
  return (
    <>
      <Title>{t("operator.prices.import")}</Title>
      {done === null ? <ImportForm onDone={setDone} /> : <ImportResult imported={done} />}
    </>
  );
}

function ImportForm({ onDone }: { readonly onDone: (done: Imported) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const form = useForm({
    initial,
    save: (draft) => send(draft, files.current?.files?.[0] ?? null),
    onSaved: onDone,
  });
  const source = form.draft.source ?? "";
  return (
    <DraftForm form={form} action={t("operator.prices.import")} back={hrefOf("prices")}>
      <ChoiceField
        form={form}
        name="source"
        label={t("operator.prices.source")}
        choices={sources.map((one) => [one, t(`operator.prices.sources.${one}`)])}
        hint={t(`operator.prices.source_hints.${source}`)}
      />
      {source !== "shipped" && (
        <div class="field">
          <label for={form.idOf("file")}>{t("operator.prices.file")}</label>
          <input
            ref={files}
            id={form.idOf("file")}
            type="file"
            accept=".json,application/json"
            onInput={({ currentTarget }) => form.set("file", currentTarget.value)}
          />
        </div>
      )}
      {source === "litellm" && (
        <TextField
          form={form}
          name="provider"
          label={t("operator.prices.provider")}
          hint={t("operator.prices.provider_hint")}
        />
      )}
    </DraftForm>
  );
}

/** The file is sent as it is: the server sees a name that is in it twice, a parser here would not. */
async function send(draft: Draft, file: File | null): Promise<Imported> {
  const { source, provider } = draft;
  if (source === "shipped") return ask("POST", "prices/import", { default: true });
  if (file === null) throw new Denied(400, t("operator.prices.no_file"), "file");
  const form = source === "litellm" ? { format: "litellm", provider: provider?.trim() } : {};
  return ask("POST", pathWith("prices/import", form), file);
}
