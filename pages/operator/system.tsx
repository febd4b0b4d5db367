import { t } from "../shared/texts.ts";
import { Checks } from "./system/checks.tsx";
import { Copies } from "./system/copies.tsx";
import { Readiness } from "./system/readiness.tsx";

export function SystemView() {
  return (
    <>
      <h1>{t("operator.view.system")}</h1>
      <Readiness />
      <Copies />
      <Checks />
      <p>
        <a href="docs">{t("operator.system.docs")}</a>
      </p>
    </>
  );
}
