import { start } from "./shared/frame.tsx";
import { t } from "./shared/texts.ts";

function Page() {
  return <h1>{t("visitor.title")}</h1>;
}

void start("visitor", Page);
