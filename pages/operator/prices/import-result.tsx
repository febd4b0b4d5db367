import { useEffect, useRef } from "preact/hooks";
import { count } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { FactList } from "../facts.tsx";
import { hrefOf } from "../fragment.ts";

/** What an import did. The fields after `skipped` depend on the list. */
export interface Imported {
  readonly added: number;
  readonly unchanged: number;
  /** Models whose newest price is not older. */
  readonly skipped: readonly string[];
  readonly published?: string;
  readonly source?: string;
  readonly note?: string;
  readonly unpriced?: readonly string[];
  readonly left_out?: readonly { readonly field: string; readonly models: number }[];
}

/** The most that are named. */
const MAX_NAMED = 50;

export function ImportResult({ imported }: { readonly imported: Imported }) {
  const place = useRef<HTMLHeadingElement>(null);
  useEffect(() => place.current?.focus(), []);
  const { added, unchanged, skipped, published, source, note, unpriced, left_out: out } = imported;
  const leftOut = out?.map(({ field, models }) => `${field} (${count(models)})`) ?? [];
  return (
    <>
      <h2 tabIndex={-1} ref={place}>
        {t("operator.prices.imported")}
      </h2>
      <FactList
        facts={[
          [t("operator.prices.added"), count(added)],
          [t("operator.prices.unchanged"), count(unchanged)],
          [t("operator.prices.skipped"), numbered(skipped)],
          [t("operator.prices.no_price"), unpriced === undefined ? null : numbered(unpriced)],
          [t("operator.prices.left_out"), leftOut.length === 0 ? null : numbered(leftOut)],
          [t("operator.prices.published"), published ?? null],
          [t("operator.prices.origin"), source ?? null],
          [t("operator.prices.note"), note ?? null],
        ]}
      />
      <p>
        <a class="button main" href={hrefOf("prices")}>
          {t("operator.view.prices")}
        </a>
      </p>
    </>
  );
}

/** How many, and which. */
function numbered(names: readonly string[]): string {
  if (names.length === 0) return count(0);
  const named = names.slice(0, MAX_NAMED).join(", ");
  return `${count(names.length)}: ${named}${names.length > MAX_NAMED ? " …" : ""}`;
}
