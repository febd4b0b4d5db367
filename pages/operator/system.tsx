import { t } from "../shared/texts.ts";

export function SystemView() {
  return <h1>{t("operator.view.system")}</h1>;
}
