import { useState } from "preact/hooks";
import { count, money } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { type Column, DataTable } from "../data-table.tsx";
import { hrefOf } from "../fragment.ts";
import { duration, share, wordOr } from "../words.ts";
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
        columns={columnsOf(title, part)}
        rows={by[part]}
        keyOf={({ key }) => (key === null ? "others" : `=${key}`)}
        linkOf={(sum) => (part === "token" ? linkOfToken(sum) : null)}
      />
    </section>
  );
}

/** In the place of a token: who calls without one. */
const withoutToken = ["", "visitor", "own-key"];

function linkOfToken({ key }: SeriesSum): string | null {
  return key === null || withoutToken.includes(key) ? null : hrefOf("tokens", key);
}

function nameOf({ key, name = null }: SeriesSum, part: SeriesPart): string {
  if (key === null) return t("operator.others");
  if (key === "") return "–";
  return part === "token" ? (name ?? wordOr(`operator.calls.by.${key}`, key)) : key;
}

function columnsOf(title: string, part: SeriesPart): readonly Column<SeriesSum>[] {
  const number = (key: string, cell: (sum: SeriesSum) => string) =>
    ({ key, label: t(`operator.overview.${key}`), isNumber: true, cell }) as const;
  return [
    { key: "name", label: title, cell: (sum) => nameOf(sum, part) },
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
