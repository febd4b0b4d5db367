import { useState } from "preact/hooks";
import { count, money } from "../shared/format.ts";
import { t } from "../shared/texts.ts";
import { useAsked } from "./asked.ts";
import { DataTable } from "./data-table.tsx";
import { Disclosure } from "./disclosure.tsx";
import { hrefOf } from "./fragment.ts";
import { Alerts } from "./overview/alerts.tsx";
import { Breakdown } from "./overview/breakdown.tsx";
import { UsageCharts } from "./overview/charts.tsx";
import { LimitDecisions } from "./overview/decisions.tsx";
import { RestingUpstreams } from "./overview/resting.tsx";
import {
  pathOfSpan,
  type SeriesPoint,
  type SpanName,
  spanNames,
  timeOfPoint,
  type UsageSeries,
} from "./overview/series.ts";
import { Problem } from "./problem.tsx";
import { usePulse } from "./pulse.ts";
import { serverNow } from "./server-clock.ts";
import type { ViewProps } from "./views.ts";
import { duration } from "./words.ts";

const REFRESH_MS = 60_000;

export function OverviewView({ rest: [chosen] }: ViewProps) {
  const span = spanNames.find((name) => name === chosen) ?? "24h";
  const beats = usePulse(REFRESH_MS);
  const nowMs = serverNow();
  const { answer, problem, isLoading, again } = useAsked<UsageSeries>(
    pathOfSpan("usage/series", span, nowMs),
    beats,
  );
  return (
    <>
      <div class="title">
        <h1>{t("operator.view.overview")}</h1>
        <SpanChoice span={span} />
      </div>
      <RestingUpstreams version={beats} />
      <Alerts version={beats} />
      <Problem problem={problem} onAgain={again} />
      {answer === null && isLoading && <p class="quiet">{t("loading")}</p>}
      {answer !== null && <Report series={answer} span={span} nowMs={nowMs} version={beats} />}
    </>
  );
}

function SpanChoice({ span }: { readonly span: SpanName }) {
  return (
    <nav class="row" aria-label={t("operator.overview.span")}>
      {spanNames.map((name) => (
        <a
          key={name}
          href={hrefOf("overview", name)}
          aria-current={name === span ? "true" : undefined}
        >
          {t(`operator.span.${name}`)}
        </a>
      ))}
    </nav>
  );
}

interface ReportProps {
  readonly series: UsageSeries;
  readonly span: SpanName;
  readonly nowMs: number;
  readonly version: number;
}

function Report({ series: { points, by }, span, ...rest }: ReportProps) {
  const [chosen, setAt] = useState<number | null>(null);
  // after a change of the span there may be fewer
  const at = chosen !== null && chosen < points.length ? chosen : null;
  const hasCalls = points.some(({ calls }) => calls > 0);
  return (
    <>
      {!hasCalls && <Empty />}
      <div class="figures">
        {hasCalls && <UsageCharts points={points} span={span} at={at} onAt={setAt} />}
        <LimitDecisions span={span} {...rest} at={at} onAt={setAt} />
      </div>
      {hasCalls && (
        <>
          <Disclosure summary={t("operator.overview.as_table")}>
            {() => <PointsTable points={points} span={span} />}
          </Disclosure>
          <Breakdown by={by} />
        </>
      )}
    </>
  );
}

function Empty() {
  return (
    <div class="empty">
      <p>{t("operator.overview.empty")}</p>
      <p>
        <a href={hrefOf("prices", "import")}>{t("operator.prices.import")}</a>
        {" · "}
        <a href={hrefOf("tokens", "new")}>{t("operator.overview.create_token")}</a>
        {" · "}
        <a href="./">{t("visitor.title")}</a>
      </p>
    </div>
  );
}

/** The same as the charts, newest first. */
function PointsTable({
  points,
  span,
}: { readonly points: readonly SeriesPoint[] } & Pick<ReportProps, "span">) {
  const number = (key: string, cell: (point: SeriesPoint) => string) =>
    ({ key, label: t(`operator.overview.${key}`), isNumber: true, cell }) as const;
  return (
    <DataTable
      title={t("operator.overview.as_table")}
      rows={[...points].reverse()}
      keyOf={({ at }) => at}
      columns={[
        { key: "at", label: t("operator.time"), cell: ({ at }) => timeOfPoint(at, span) },
        number("calls", ({ calls }) => count(calls)),
        number("answered", ({ answered }) => count(answered)),
        number("failed", ({ failed }) => count(failed)),
        number("refused", ({ refused }) => count(refused)),
        number("canceled", ({ canceled }) => count(canceled)),
        number("tokens", (point) => count(point.total_tokens)),
        number("money", ({ cost }) => money(cost)),
        number("median", (point) => duration(point.first_token_ms?.median ?? null)),
        number("p95", (point) => duration(point.first_token_ms?.p95 ?? null)),
      ]}
    />
  );
}
