import { t } from "../shared/texts.ts";

export function PricesView() {
  return <h1>{t("operator.view.prices")}</h1>;
}
