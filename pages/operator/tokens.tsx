import { t } from "../shared/texts.ts";

export function TokensView() {
  return <h1>{t("operator.view.tokens")}</h1>;
}
