import { t } from "../shared/texts.ts";

export function ChangesView() {
  return <h1>{t("operator.view.changes")}</h1>;
}
