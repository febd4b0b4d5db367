import { useState } from "preact/hooks";
import { count, money } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { type Column, DataTable } from "../data-table.tsx";
import { hrefOf } from "../fragment.ts";
import { duration, share } from "../words.ts";
import { type SeriesPart, type SeriesSum, seriesParts, type UsageSeries } from "./series.ts";

/** Sums by one thing at a time; tokens lead to their own page. */
export function Breakdown({ by }: Pick<UsageSeries, "by">) {
  const [part, choose] = useState<SeriesPart>("model");
  const title = t(`operator.overview.by.${part}`);
  return (
    <section>
      <h2>{t("operator.overview.by.title")}</h2>
      <fieldset class="row" aria-label={t("operator.overview.by.title")}>
        {seriesParts.map((one) => (
          <button key={one} type="button" aria-pressed={one === part} onClick={() => choose(one)}>
            {t(`operator.overview.by.${one}`)}
          </button>
        ))}
      </fieldset>
      <DataTable
        title={title}
        columns={columnsOf(title)}
        rows={by[part]}
        keyOf={({ key }) => key ?? ""}
        linkOf={({ key }) => (part === "token" && key !== null ? hrefOf("tokens", key) : null)}
      />
    </section>
  );
}

function columnsOf(title: string): readonly Column<SeriesSum>[] {
  const number = (key: string, cell: (sum: SeriesSum) => string) =>
    ({ key, label: t(`operator.overview.${key}`), isNumber: true, cell }) as const;
  return [
    { key: "name", label: title, cell: ({ key, name }) => name ?? key ?? t("operator.others") },
    number("calls", ({ calls }) => count(calls)),
    number("failed", ({ failed, calls }) =>
      failed === 0 ? "0" : `${count(failed)} (${share(failed, calls)})`,
    ),
    number("tokens", (sum) => count(sum.total_tokens)),
    number("money", ({ cost }) => money(cost)),
    number("median", (sum) => duration(sum.first_token_ms?.median ?? null)),
    number("p95", (sum) => duration(sum.first_token_ms?.p95 ?? null)),
  ];
}
