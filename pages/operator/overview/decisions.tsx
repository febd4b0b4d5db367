import { count } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { Chart } from "../chart.tsx";
import { Problem } from "../problem.tsx";
import { share, wordOr } from "../words.ts";
import { pathOfSpan, type SpanName, timeOfPoint } from "./series.ts";

interface DecisionPoint {
  readonly at: string;
  readonly admitted: number;
  /** Calls by what refused them. */
  readonly refused: Readonly<Record<string, number>>;
}

interface DecisionsProps {
  readonly span: SpanName;
  readonly nowMs: number;
  readonly version: number;
  readonly at: number | null;
  readonly onAt: (at: number | null) => void;
}

const refusedOf = ({ refused }: DecisionPoint) =>
  Object.values(refused).reduce((sum, calls) => sum + calls, 0);

/** What the limits let through and what they refused, over all copies. */
export function LimitDecisions({ span, nowMs, version, at, onAt }: DecisionsProps) {
  const path = pathOfSpan("limits/decisions", span, nowMs);
  const { answer, problem, again } = useAsked<{ readonly points: readonly DecisionPoint[] }>(
    path,
    version,
  );
  const points = answer?.points ?? [];
  const chosen = (place: number | null) =>
    place === null ? points : points.slice(place, place + 1);
  return (
    <>
      {problem !== null && <Problem problem={problem} onAgain={again} />}
      {points.some((point) => point.admitted + refusedOf(point) > 0) && (
        <Chart
          title={t("operator.overview.decisions")}
          shape="bars"
          times={points.map((point) => timeOfPoint(point.at, span))}
          at={at}
          onAt={onAt}
          series={[
            { key: "answered", values: points.map(({ admitted }) => admitted) },
            { key: "refused", values: points.map(refusedOf) },
          ]}
          headline={(place) => headlineOf(chosen(place))}
          details={(place) => detailsOf(points, chosen(place))}
          axis={count}
        />
      )}
    </>
  );
}

function headlineOf(points: readonly DecisionPoint[]): string {
  const refused = points.reduce((sum, point) => sum + refusedOf(point), 0);
  const admitted = points.reduce((sum, point) => sum + point.admitted, 0);
  return t("operator.overview.refused_share", {
    refused: count(refused),
    share: share(refused, refused + admitted),
  });
}

/** What was let through, and each limit that refused any: the same ones whatever is chosen, so that nothing jumps. */
function detailsOf(all: readonly DecisionPoint[], points: readonly DecisionPoint[]) {
  const reasons = Object.keys(all[0]?.refused ?? {}).filter((reason) =>
    all.some(({ refused }) => (refused[reason] ?? 0) > 0),
  );
  const refusals = reasons.map((reason) => ({
    key: `refused by-${reason}`,
    label: wordOr(`operator.overview.limit.${reason}`, reason),
    calls: points.reduce((sum, { refused }) => sum + (refused[reason] ?? 0), 0),
  }));
  const admitted = {
    key: "answered",
    label: t("operator.overview.admitted"),
    calls: points.reduce((sum, point) => sum + point.admitted, 0),
  };
  return [admitted, ...refusals].map(({ calls, ...one }) => ({ ...one, text: count(calls) }));
}
