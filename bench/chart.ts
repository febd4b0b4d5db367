export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as people read it, with its unit. */
  readonly text: string;
  /** Ours, what it is measured against, or another's. */
  readonly kind: "own" | "base" | "other";
}

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  /** Whether lengths compare across the groups, or within each only. */
  readonly scale: "shared" | "own";
  readonly groups: readonly BarGroup[];
}

// Pixels.
const WIDTH = 720;
const MARGIN = 24;
const LABEL_END = 236;
const BAR_START = 248;
/** Room behind the longest bar for its text. */
const TEXT_ROOM = 112;
const BAR_MOST = WIDTH - MARGIN - TEXT_ROOM - BAR_START;
const BAR_LEAST = 2;
const BAR_HEIGHT = 18;
const ROW_HEIGHT = 26;
const HEAD_HEIGHT = 72;
const GROUP_HEIGHT = 30;
const GROUP_GAP = 14;

// A card of its own colours: pages are light or dark, whatever the system of their reader is.
const STYLE = `
text{font-family:system-ui,-apple-system,"Segoe UI","Noto Sans","PingFang SC","PingFang TC","Microsoft YaHei",sans-serif;font-size:13px;fill:#24292f}
.title{font-size:17px;font-weight:600}.group{font-weight:600}.soft{fill:#57606a}.own-text{font-weight:600}
.card{fill:#fff;stroke:#d0d7de}.own{fill:#2563eb}.base{fill:#8c959f}.other{fill:#c9a26b}.axis{stroke:#d0d7de}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#9198a1}
.card{fill:#161b22;stroke:#3d444d}.own{fill:#6ea8fe}.base{fill:#767d86}.other{fill:#a9854f}.axis{stroke:#3d444d}}
`.replaceAll("\n", "");

/** Horizontal bars as an SVG image. Groups without bars are left out. */
export function renderChart(chart: Chart): string {
  const groups = chart.groups.filter(({ bars }) => bars.length > 0);
  const most = mostOf(groups.flatMap(({ bars }) => bars));
  const parts: string[] = [];
  let top = HEAD_HEIGHT;
  for (const { title, bars } of groups) {
    parts.push(text(MARGIN, top + 16, title, "group"));
    top += GROUP_HEIGHT;
    const end = top + bars.length * ROW_HEIGHT - (ROW_HEIGHT - BAR_HEIGHT);
    parts.push(line(BAR_START, top - 4, end + 4));
    const scale = BAR_MOST / (chart.scale === "own" ? mostOf(bars) : most);
    for (const bar of bars) {
      parts.push(renderBar(bar, top, scale));
      top += ROW_HEIGHT;
    }
    top += GROUP_GAP;
  }
  return svg(chart, top, parts);
}

function renderBar({ label, value, text: shown, kind }: Bar, top: number, scale: number): string {
  const width = Math.max(BAR_LEAST, Math.round(value * scale));
  const middle = top + BAR_HEIGHT - 5;
  const style = kind === "own" ? "own-text" : "";
  return [
    text(LABEL_END, middle, label, style, "end"),
    `<rect x="${BAR_START}" y="${top}" width="${width}" height="${BAR_HEIGHT}" rx="3" class="${kind}"/>`,
    text(BAR_START + width + 8, middle, shown, style),
  ].join("");
}

function svg({ title, subtitle }: Chart, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" class="card"/>`,
    text(MARGIN, 34, title, "title"),
    text(MARGIN, 56, subtitle, "soft"),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, style: string, anchor = "start"): string {
  const styled = style === "" ? "" : ` class="${style}"`;
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}"${styled}${anchored}>${escaped(content)}</text>`;
}

function line(x: number, top: number, bottom: number): string {
  return `<path d="M${x - 0.5} ${top}V${bottom}" class="axis"/>`;
}

function mostOf(bars: readonly Bar[]): number {
  return Math.max(Number.EPSILON, ...bars.map(({ value }) => value));
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
