import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { Title } from "../forms/title.tsx";
import { WholeTable } from "../forms/whole-table.tsx";
import { hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { priceColumns } from "./columns.tsx";
import type { Price, PricesAnswer } from "./price.ts";

export function PriceList() {
  const { answer, problem, again } = useAsked<PricesAnswer>("prices");
  return (
    <>
      <div class="row head">
        <Title>{t("operator.view.prices")}</Title>
        <a class="button main" href={hrefOf("prices", "set")}>
          {t("operator.prices.new")}
        </a>
        <a class="button" href={hrefOf("prices", "import")}>
          {t("operator.prices.import")}
        </a>
      </div>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && (
        <>
          <Unpriced prices={answer.prices} />
          <p class="quiet">{t("operator.prices.unit")}</p>
          <WholeTable<Price>
            title={t("operator.view.prices")}
            rows={answer.prices}
            columns={[
              { key: "model", label: t("operator.prices.model"), cell: ({ model }) => model },
              ...priceColumns(),
            ]}
            keyOf={({ model }) => model}
            linkOf={({ model }) => hrefOf("prices", "model", model)}
            textOf={({ model }) => model}
            empty={
              <>
                {t("operator.prices.empty")}{" "}
                <a href={hrefOf("prices", "import")}>{t("operator.prices.import")}</a>
              </>
            }
          />
        </>
      )}
    </>
  );
}

interface CalledModels {
  readonly usage: readonly {
    readonly model: string;
    readonly total_tokens: number;
    readonly calls_of_unknown_cost: number;
  }[];
}

/** The most that are named. */
const MAX_NAMED = 20;

/** Models that were called in the last 30 days at no price. */
function Unpriced({ prices }: { readonly prices: readonly Price[] }) {
  const { answer } = useAsked<CalledModels>("usage?by=model&from=30d");
  const priced = new Set(prices.map(({ model }) => model));
  const unpriced = (answer?.usage ?? [])
    // what only failed has cost nothing
    .filter((sum) => sum.calls_of_unknown_cost > 0 && sum.total_tokens > 0)
    .filter(({ model }) => !priced.has(model))
    .slice(0, MAX_NAMED);
  if (unpriced.length === 0) return null;
  return (
    <p class="notice">
      {t("operator.prices.unpriced")}{" "}
      {unpriced.map(({ model }) => (
        <a key={model} href={hrefOf("prices", "set", model)}>
          {model}
        </a>
      ))}
    </p>
  );
}
