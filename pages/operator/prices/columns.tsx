import { money } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import type { Column } from "../data-table.tsx";
import { secondOf } from "../times.ts";
import { extraNames, type Price, sideNames } from "./price.ts";

export const priceLabel = (name: string) => t(`operator.prices.of.${name}`);

const amount = (price: string | null) => (price === null ? "–" : money(price));

/** The prices of a row, and since when they hold. */
export function priceColumns(): readonly Column<Price>[] {
  return [
    ...sideNames.map((name) => ({
      key: name,
      label: priceLabel(name),
      isNumber: true,
      cell: (price: Price) => amount(price[name]),
    })),
    { key: "since", label: t("operator.prices.since"), cell: ({ since }) => secondOf(since) },
    {
      key: "others",
      label: t("operator.prices.others"),
      cell: (price) => <span class="long">{othersOf(price)}</span>,
    },
  ];
}

function othersOf(price: Price): string {
  const set = extraNames.filter((name) => price[name] !== null);
  return set.map((name) => `${priceLabel(name)}: ${amount(price[name])}`).join(" · ");
}
