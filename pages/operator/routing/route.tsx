import { useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { useAsked } from "../asked.ts";
import { Confirm } from "../forms/confirm.tsx";
import { History } from "../forms/history.tsx";
import { Title } from "../forms/title.tsx";
import { goTo } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { RouteForm } from "./route-form.tsx";
import { type Route, routePath, type Upstreams } from "./routing.ts";

/** The route of a model, or a new one. */
export function RoutePage({ model }: { readonly model: string | null }) {
  const route = useAsked<Route>(model === null ? null : routePath(model));
  const upstreams = useAsked<Upstreams>("upstreams");
  const [isRemoving, setRemoving] = useState(false);
  const isKnown = model === null || route.answer !== null;
  return (
    <>
      <Title>{model ?? t("operator.routing.new_route")}</Title>
      <Problem problem={route.problem ?? upstreams.problem} onAgain={route.again} />
      {route.answer !== null && (
        <div class="row actions">
          <button type="button" class="warning" onClick={() => setRemoving(true)}>
            {t("operator.form.remove")}
          </button>
        </div>
      )}
      {isKnown && upstreams.answer !== null && (
        <RouteForm route={route.answer} upstreams={upstreams.answer.upstreams} />
      )}
      {model !== null && <History kind="route" subject={model} version={0} />}
      {isRemoving && model !== null && (
        <Confirm
          title={t("operator.form.remove")}
          words={t("operator.routing.remove_route", { model })}
          action={t("operator.form.remove")}
          act={() => ask("DELETE", routePath(model)).then(() => goTo("routing"))}
          onClose={() => setRemoving(false)}
        />
      )}
    </>
  );
}
