import { useRef, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { TextField } from "../forms/field.tsx";
import { DraftForm } from "../forms/form.tsx";
import { type Draft, useForm } from "../forms/use-form.ts";
import { goTo, hrefOf } from "../fragment.ts";
import { saveRoute } from "./route-save.ts";
import { RouteWords } from "./route-words.tsx";
import type { Route, Stages, Upstream } from "./routing.ts";
import { StageFields } from "./stage-fields.tsx";
import { UnpricedTargets } from "./unpriced.tsx";

interface RouteFormProps {
  readonly route: Route | null;
  readonly upstreams: readonly Upstream[];
}

const NEW: Stages = [[{ upstream: "default", model: "", weight: 1 }]];

/** Who answers for a model: the draft holds the stages as JSON, under the API's name of the field. */
export function RouteForm({ route, upstreams }: RouteFormProps) {
  const [initial] = useState<Draft>(() => ({
    model: route?.model ?? "",
    to: JSON.stringify(route?.stages ?? NEW),
  }));
  const seen = useRef(route?.to ?? null);
  const form = useForm({
    initial,
    save: (draft) => saveRoute(draft.model ?? "", stagesIn(draft), seen),
    onSaved: () => goTo("routing"),
  });
  const stages = stagesIn(form.draft);
  const change = (next: Stages) => form.set("to", JSON.stringify(next));
  const problem = form.problemOf("to");
  return (
    <DraftForm form={form} action={t("operator.form.save")} back={hrefOf("routing")}>
      {route === null && (
        <TextField
          form={form}
          name="model"
          label={t("operator.routing.model")}
          hint={t("operator.routing.model_hint")}
        />
      )}
      <StageFields
        id={form.idOf("to")}
        stages={stages}
        upstreams={upstreams.map(({ name }) => name)}
        onChange={change}
      />
      {problem !== null && <p class="warning">{problem}</p>}
      <p role="status" class="preview">
        {stages.flat().some(({ model }) => model.trim() !== "") && <RouteWords stages={stages} />}
      </p>
      <UnpricedTargets model={form.draft.model ?? ""} stages={stages} />
    </DraftForm>
  );
}

/** Cast: only this form writes it. */
function stagesIn(draft: Draft): Stages {
  return JSON.parse(draft.to ?? "[]") as Stages;
}
