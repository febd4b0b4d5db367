import { start } from "./shared/frame.tsx";
import { t } from "./shared/texts.ts";

function OperatorPage() {
  return <h1>{t("operator.title")}</h1>;
}

void start("operator", OperatorPage);
