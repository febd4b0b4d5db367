/** A value as prom-client's registry prints it. */
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly metricName?: string;
}

/** As much of a metric as prom-client's registry uses. */
export interface PrintedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "histogram";
  get(): Promise<PrintedMetric & { readonly values: readonly Sample[] }>;
}

/**
 * Counted here and printed by prom-client. Its own counters build a string of all labels for each
 * number: 3 µs per call for three counters and two histograms, against 0.3 µs.
 */
export interface Counts extends PrintedMetric {
  add(amount: number, first: string, second?: string): void;
}

/** With one label or two. */
export function createCounts(
  name: string,
  help: string,
  [firstName, secondName]: readonly [string, string?],
): Counts {
  const counts = new Map<string, Map<string, number>>();
  const metric = { name, help, type: "counter" } as const;
  const get = async () => {
    const values: Sample[] = [];
    for (const [first, seconds] of counts) {
      for (const [second, value] of seconds) {
        const labels = { [firstName]: first, ...(secondName && { [secondName]: second }) };
        values.push({ value, labels });
      }
    }
    return { ...metric, get, values };
  };
  return {
    ...metric,
    get,
    add(amount, first, second = "") {
      let seconds = counts.get(first);
      if (seconds === undefined) {
        seconds = new Map();
        counts.set(first, seconds);
      }
      seconds.set(second, (seconds.get(second) ?? 0) + amount);
    },
  };
}

export interface Durations extends PrintedMetric {
  observe(ms: number, label: string): void;
}

interface Observed {
  /** Observations per bucket, the last above all bounds. Not cumulative yet. */
  readonly counts: number[];
  sumMs: number;
}

/** A histogram in seconds with one label. */
export function createDurations(
  name: string,
  help: string,
  labelName: string,
  boundsSeconds: readonly number[],
): Durations {
  const observed = new Map<string, Observed>();
  const boundsMs = boundsSeconds.map((seconds) => seconds * 1_000);
  const metric = { name, help, type: "histogram" } as const;
  const get = async () => {
    const values = [...observed].flatMap(([label, one]) =>
      samplesOf(name, { [labelName]: label }, one, boundsSeconds),
    );
    return { ...metric, get, values };
  };
  return {
    ...metric,
    get,
    observe(ms, label) {
      let one = observed.get(label);
      if (one === undefined) {
        one = { counts: new Array<number>(boundsMs.length + 1).fill(0), sumMs: 0 };
        observed.set(label, one);
      }
      let bucket = 0;
      while (bucket < boundsMs.length && ms > (boundsMs[bucket] ?? 0)) bucket += 1;
      one.counts[bucket] = (one.counts[bucket] ?? 0) + 1;
      one.sumMs += ms;
    },
  };
}

function samplesOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  { counts, sumMs }: Observed,
  boundsSeconds: readonly number[],
): Sample[] {
  let upTo = 0;
  const buckets = counts.map((count, index) => {
    upTo += count;
    const le = index < boundsSeconds.length ? String(boundsSeconds[index]) : "+Inf";
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: upTo };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumMs / 1_000 },
    { metricName: `${name}_count`, labels, value: upTo },
  ];
}
