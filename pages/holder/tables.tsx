import type { ComponentChildren } from "preact";
import { padsOf } from "../shared/align.ts";
import { count, money, shortMoment } from "../shared/format.ts";
import { t } from "../shared/texts.ts";
import type { LastCall, Spent } from "./usage.ts";

type Cell = ComponentChildren;

interface TableProps {
  readonly title: string;
  /** Keys below `holder`; those with a trailing # hold numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Wide tables scroll by themselves, also with the keyboard. */
function Table({ title, columns, rows }: TableProps) {
  const kind = (index: number) => (columns[index]?.endsWith("#") ? "number" : undefined);
  const pads = columns.map((_, index) => padsOf(rows.map((cells) => cells[index])));
  return (
    <>
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys */}
      <section class="scroll" aria-label={title} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {columns.map((name, index) => (
                <th key={name} scope="col" class={kind(index)}>
                  {t(`holder.${name.replace("#", "")}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((cells, row) => (
              <tr key={cells.join()}>
                {cells.map((cell, index) => (
                  <td key={columns[index]} class={kind(index)} data-pad={pads[index]?.[row]}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

interface SpentByModelProps {
  readonly title: string;
  readonly sums: readonly ({ readonly model: string } & Spent)[];
}

export function SpentByModel({ title, sums }: SpentByModelProps) {
  const rows = sums.map(({ model, requests, total_tokens, cost }) => [
    model,
    count(requests),
    count(total_tokens),
    money(cost),
  ]);
  return <Table title={title} columns={["model", "requests#", "tokens#", "cost#"]} rows={rows} />;
}

export function LastCalls({ calls }: { readonly calls: readonly LastCall[] }) {
  const rows = calls.map(({ at, model, tokens, cost, outcome }) => [
    shortMoment(at),
    model,
    tokens === null ? t("unknown") : count(tokens),
    money(cost),
    t(`holder.${outcome}`),
  ]);
  const columns = ["time", "model", "tokens#", "cost#", "outcome"];
  return <Table title={t("holder.last")} columns={columns} rows={rows} />;
}
