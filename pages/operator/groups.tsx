import { t } from "../shared/texts.ts";

export function GroupsView() {
  return <h1>{t("operator.view.groups")}</h1>;
}
