import { count, money, roughMoney } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { Chart } from "../chart.tsx";
import { sumOfMoney } from "../money-sum.ts";
import { duration, share } from "../words.ts";
import { type SeriesPoint, type SpanName, timeOfPoint } from "./series.ts";

const outcomes = ["answered", "failed", "refused", "canceled"] as const;
const percentiles = ["median", "p95"] as const;

interface UsageChartsProps {
  readonly points: readonly SeriesPoint[];
  readonly span: SpanName;
  readonly at: number | null;
  readonly onAt: (at: number | null) => void;
}

/** The same points four times, with one place that is read in all of them. */
export function UsageCharts({ span, ...rest }: UsageChartsProps) {
  const shared = { ...rest, times: rest.points.map((point) => timeOfPoint(point.at, span)) };
  return (
    <>
      <CallsChart {...shared} />
      <TokensChart {...shared} />
      <MoneyChart {...shared} />
      <FirstTokenChart {...shared} />
    </>
  );
}

interface SharedProps extends Omit<UsageChartsProps, "span"> {
  readonly times: readonly string[];
}

/** The point, or all of them. */
const chosen = (points: readonly SeriesPoint[], at: number | null) =>
  at === null ? points : points.slice(at, at + 1);
const sumOf = (points: readonly SeriesPoint[], key: "calls" | "total_tokens" | Outcome) =>
  points.reduce((sum, point) => sum + point[key], 0);
type Outcome = (typeof outcomes)[number];

function CallsChart({ points, ...shared }: SharedProps) {
  return (
    <Chart
      {...shared}
      title={t("operator.overview.calls")}
      shape="bars"
      series={outcomes.map((key) => ({ key, values: points.map((point) => point[key]) }))}
      headline={(at) => count(sumOf(chosen(points, at), "calls"))}
      details={(at) => {
        const seen = chosen(points, at);
        return outcomes.map((key) => {
          const calls = sumOf(seen, key);
          const part = key === "failed" ? ` (${share(calls, sumOf(seen, "calls"))})` : "";
          return { key, label: t(`operator.overview.${key}`), text: count(calls) + part };
        });
      }}
      axis={count}
    />
  );
}

function TokensChart({ points, ...shared }: SharedProps) {
  return (
    <Chart
      {...shared}
      title={t("operator.overview.tokens")}
      shape="bars"
      series={[{ key: "answered", values: points.map((point) => point.total_tokens) }]}
      headline={(at) => count(sumOf(chosen(points, at), "total_tokens"))}
      details={() => []}
      axis={count}
    />
  );
}

function MoneyChart({ points, ...shared }: SharedProps) {
  const costs = points.map((point) => (point.cost === null ? null : Number(point.cost)));
  const sum = (at: number | null) => sumOfMoney(chosen(points, at).map((point) => point.cost));
  return (
    <Chart
      {...shared}
      title={t("operator.overview.money")}
      shape="bars"
      series={[{ key: "answered", values: costs }]}
      headline={(at) => roughMoney(sum(at))}
      details={(at) =>
        roughMoney(sum(at)) === money(sum(at))
          ? []
          : [{ key: "exact", label: "", text: money(sum(at)) }]
      }
      axis={(highest) => roughMoney(points[costs.indexOf(highest)]?.cost ?? "0")}
    />
  );
}

function FirstTokenChart({ points, ...shared }: SharedProps) {
  const newest = points.findLastIndex((point) => point.first_token_ms !== null);
  const of = (at: number | null) => points[at ?? newest]?.first_token_ms ?? null;
  return (
    <Chart
      {...shared}
      title={t("operator.overview.first_token")}
      shape="lines"
      series={percentiles.map((key) => ({
        key,
        values: points.map((point) => point.first_token_ms?.[key] ?? null),
      }))}
      headline={(at) => duration(of(at)?.median ?? null)}
      details={(at) =>
        percentiles.map((key) => ({
          key,
          label: t(`operator.overview.${key}`),
          text: duration(of(at)?.[key] ?? null),
        }))
      }
      axis={duration}
    />
  );
}
