import { useRef } from "preact/hooks";
import { barPaths, linePaths, PLOT_HEIGHT } from "./chart-paths.ts";

export interface ChartSeries {
  /** Its color: a class of the sheet. */
  readonly key: string;
  readonly values: readonly (number | null)[];
}

interface ChartDetail {
  /** The color of its mark; `exact`: none, since it is the headline with all its digits. */
  readonly key: string;
  readonly label: string;
  readonly text: string;
}

export interface ChartProps {
  readonly title: string;
  readonly shape: "bars" | "lines";
  readonly series: readonly ChartSeries[];
  /** What each point is called. */
  readonly times: readonly string[];
  /** The point that is read; null: none. All charts of a page share it. */
  readonly at: number | null;
  readonly onAt: (at: number | null) => void;
  /** What is said of a point; null: of all of them. */
  readonly headline: (at: number | null) => string;
  readonly details: (at: number | null) => readonly ChartDetail[];
  readonly axis: (value: number) => string;
}

/** Values over time, to be read with the pointer or with arrow keys. */
export function Chart(props: ChartProps) {
  const { title, times, at, headline, details } = props;
  const shown = details(at);
  return (
    <section class="figure">
      <h2>
        {title} <span class="when">{at === null ? "" : times[at]}</span>
      </h2>
      <p class="headline">{headline(at)}</p>
      <Plot {...props} />
      <p class="axis" aria-hidden="true">
        <span>{times[0]}</span>
        <span>{times[Math.floor(times.length / 2)]}</span>
        <span>{times.at(-1)}</span>
      </p>
      <p class="legend">
        {shown.map(({ key, label, text }) => (
          <span key={key}>
            <i class={`mark ${key}`} /> {label} {text}
          </span>
        ))}
      </p>
    </section>
  );
}

function Plot({ title, shape, series, times, at, onAt, headline, details, axis }: ChartProps) {
  const plot = useRef<HTMLDivElement>(null);
  const last = times.length - 1;
  const now = at ?? last;
  const { highest, paths } = shape === "bars" ? barPaths(series) : linePaths(series);
  const words = details(now).map(({ label, text }) => `${label} ${text}`.trim());
  const move = ({ clientX }: PointerEvent) => {
    const { left, width } = plot.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    const place = Math.floor(((clientX - left) / width) * times.length);
    onAt(Math.min(last, Math.max(0, place)));
  };
  return (
    <div
      ref={plot}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={title}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={now}
      aria-valuetext={[times[now], headline(now), ...words].join(", ")}
      onPointerMove={move}
      onPointerDown={move}
      onPointerLeave={() => onAt(null)}
      onBlur={() => onAt(null)}
      onKeyDown={(event) => {
        const to = placeAfter(event.key, now, last);
        if (to === undefined) return;
        event.preventDefault();
        onAt(to);
      }}
    >
      <span class="highest">{highest > 0 ? axis(highest) : ""}</span>
      <svg viewBox={`0 0 ${times.length} ${PLOT_HEIGHT}`} preserveAspectRatio="none">
        <title>{title}</title>
        {at !== null && <rect class="cursor" x={at} y={0} width={1} height={PLOT_HEIGHT} />}
        {paths.map(({ key, d }) => (
          <path key={key} class={`${shape} ${key}`} d={d} />
        ))}
      </svg>
    </div>
  );
}

function placeAfter(key: string, now: number, last: number): number | null | undefined {
  const places: Readonly<Record<string, number | null>> = {
    ArrowLeft: Math.max(0, now - 1),
    ArrowDown: Math.max(0, now - 1),
    ArrowRight: Math.min(last, now + 1),
    ArrowUp: Math.min(last, now + 1),
    Home: 0,
    End: last,
    Escape: null,
  };
  return places[key];
}
