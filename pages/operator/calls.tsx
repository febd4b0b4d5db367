import { t } from "../shared/texts.ts";

export function CallsView() {
  return <h1>{t("operator.view.calls")}</h1>;
}
