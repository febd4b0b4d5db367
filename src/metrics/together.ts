import { AggregatorRegistry, type Registry } from "prom-client";

type MetricObject = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>[number];

/** Plain, so that it can be sent to another thread. */
export type MetricsSnapshot = readonly Omit<MetricObject, "collect">[];

/** Read from the system by every worker, and the same for all of them. */
const OF_THE_PROCESS = "parley_process_";

/** Prometheus text of what all workers have counted; the first of them speaks for the process. */
export function renderTogether([
  first = [],
  ...others
]: readonly MetricsSnapshot[]): Promise<string> {
  const own = first.map((metric) =>
    metric.name.startsWith(OF_THE_PROCESS) ? { ...metric, aggregator: "first" } : metric,
  );
  const theirs = others.map((metrics) =>
    metrics.filter(({ name }) => !name.startsWith(OF_THE_PROCESS)),
  );
  return AggregatorRegistry.aggregate([own, ...theirs]).metrics();
}
