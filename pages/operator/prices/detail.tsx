import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { DataTable } from "../data-table.tsx";
import { History } from "../forms/history.tsx";
import { Title } from "../forms/title.tsx";
import { hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { serverNow } from "../server-clock.ts";
import { priceColumns } from "./columns.tsx";
import { type Price, type PricesAnswer, pricesPath } from "./price.ts";

/** All prices that a model had, has and will have. */
export function PricePage({ model }: { readonly model: string }) {
  const { answer, problem, again } = useAsked<PricesAnswer>(pricesPath(model, true));
  const prices = answer?.prices ?? [];
  const current = prices.find(({ since }) => Date.parse(since) <= serverNow());
  const when = (price: Price) => {
    if (price === current) return t("operator.prices.current");
    const isNext = current === undefined || Date.parse(price.since) > Date.parse(current.since);
    return isNext ? t("operator.prices.next") : t("operator.prices.past");
  };
  return (
    <>
      <Title>{model}</Title>
      <Problem problem={problem} onAgain={again} />
      <div class="row actions">
        <a class="button" href={hrefOf("prices", "set", model)}>
          {t("operator.prices.change")}
        </a>
      </div>
      <p class="quiet">{t("operator.prices.unit")}</p>
      {answer !== null && prices.length === 0 && (
        <p class="empty">{t("operator.prices.none", { model })}</p>
      )}
      {prices.length > 0 && (
        <DataTable<Price>
          title={t("operator.form.history")}
          rows={prices}
          columns={[
            { key: "when", label: t("operator.prices.when"), cell: when },
            ...priceColumns(),
          ]}
          keyOf={({ since }) => since}
        />
      )}
      <History kind="price" subject={model} version={0} />
    </>
  );
}
