import { t } from "../shared/texts.ts";

export function OverviewView() {
  return <h1>{t("operator.view.overview")}</h1>;
}
