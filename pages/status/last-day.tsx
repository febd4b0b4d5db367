import { clockTime, count, labeled, moment } from "../shared/format.ts";
import { t } from "../shared/texts.ts";

const kinds = ["answered", "failed", "refused"] as const;

export interface Hour extends Readonly<Record<(typeof kinds)[number], number>> {
  readonly hour: string;
}

const WIDTH = 480;
const HEIGHT = 64;
const GAP = 2;

/** Calls by hour: a bar each, in parts. The sums say the same in words. */
export function LastDay({ hours }: { readonly hours: readonly Hour[] }) {
  const sumOf = (kind: (typeof kinds)[number]) => hours.reduce((sum, hour) => sum + hour[kind], 0);
  const highest = Math.max(
    1,
    ...hours.map((hour) => kinds.reduce((sum, kind) => sum + hour[kind], 0)),
  );
  const sums = t("status.sums", {
    answered: count(sumOf("answered")),
    failed: count(sumOf("failed")),
    refused: count(sumOf("refused")),
  });
  const width = WIDTH / hours.length;
  return (
    <section>
      <h2>{t("status.last_24h")}</h2>
      <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={sums}>
        <title>{t("status.last_24h")}</title>
        {hours.map((hour, index) => (
          <g key={hour.hour}>
            <title>{moment(hour.hour)}</title>
            {partsOf(hour, highest).map(({ kind, top, height }) => (
              <rect
                key={kind}
                class={kind}
                x={index * width}
                y={top}
                width={width - GAP}
                height={height}
              />
            ))}
          </g>
        ))}
      </svg>
      <div class="scale" aria-hidden="true">
        <span>{hourOf(hours[0])}</span>
        <span>{hourOf(hours.at(-1))}</span>
      </div>
      <p class="row legend">
        {kinds.map((kind) => (
          <span key={kind}>
            <span class={`swatch ${kind}`} />
            {labeled(t(`status.${kind}`), count(sumOf(kind)))}
          </span>
        ))}
      </p>
    </section>
  );
}

function hourOf(hour: Hour | undefined): string {
  return hour === undefined ? "" : clockTime(hour.hour);
}

/** From the bottom up. */
function partsOf(hour: Hour, highest: number) {
  let below = 0;
  return kinds.map((kind) => {
    const height = (hour[kind] / highest) * HEIGHT;
    below += height;
    return { kind, top: HEIGHT - below, height };
  });
}
