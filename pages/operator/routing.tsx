import { t } from "../shared/texts.ts";

export function RoutingView() {
  return <h1>{t("operator.view.routing")}</h1>;
}
