export interface SoakSample {
  readonly minutes: number;
  readonly rssMb: number;
}

export interface Growth {
  readonly mbPerMinute: number;
  readonly quarters: readonly number[];
  readonly bounded: boolean;
}

/** More than this, in MB a minute, is a leak whatever its form. */
const GROWTH_MAX = 1;
/** A quarter that grows by less, in MB a minute, counts as level: the noise of collections. */
const LEVEL = 0.1;
/** Growth of the last quarter, as a share of the first, that counts as falling. */
const FALLS_TO = 0.8;

/**
 * How resident memory grew: a straight line through all samples, and one through each quarter of
 * the time. Caches and pools fill at first, so a process without a leak grows ever less.
 */
export function fitGrowth(samples: readonly SoakSample[]): Growth {
  const mbPerMinute = slope(samples);
  const start = samples[0]?.minutes ?? 0;
  const length = ((samples.at(-1)?.minutes ?? 0) - start) / 4;
  const quarters = [0, 1, 2, 3].map((quarter) => {
    const from = start + quarter * length;
    return slope(
      samples.filter(({ minutes }) => minutes >= from && minutes <= from + length * 1.000_001),
    );
  });
  const [first = Number.NaN] = quarters;
  const last = quarters.at(-1) ?? Number.NaN;
  const falling = last < FALLS_TO * first || last <= LEVEL;
  return { mbPerMinute, quarters, bounded: mbPerMinute <= GROWTH_MAX && falling };
}

/** Least squares, in MB a minute; NaN of fewer than two samples. */
function slope(samples: readonly SoakSample[]): number {
  const meanMinutes = mean(samples.map(({ minutes }) => minutes));
  const meanMb = mean(samples.map(({ rssMb }) => rssMb));
  let products = 0;
  let squares = 0;
  for (const { minutes, rssMb } of samples) {
    products += (minutes - meanMinutes) * (rssMb - meanMb);
    squares += (minutes - meanMinutes) ** 2;
  }
  return products / squares;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
