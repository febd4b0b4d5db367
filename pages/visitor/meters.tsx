import { useSecondsUntil } from "../shared/countdown.ts";
import { count, inTime } from "../shared/format.ts";
import { Meter } from "../shared/meter.tsx";
import { t } from "../shared/texts.ts";
import type { WindowState } from "./limits.ts";

/** What is left of each limit. */
export function Meters({ windows }: { readonly windows: readonly WindowState[] }) {
  if (windows.length === 0) return null;
  return (
    <section class="meters" aria-label={t("visitor.limits")}>
      {windows.map((window) => (
        <WindowMeter key={window.name} {...window} />
      ))}
    </section>
  );
}

function WindowMeter({ name, limit, left, returnsAt }: WindowState) {
  const seconds = useSecondsUntil(returnsAt);
  // then the oldest call has left
  const now = seconds > 0 ? left : Math.min(limit, left + 1);
  const words = t("visitor.left", { left: count(now), limit: count(limit) });
  return (
    <Meter label={t(`window.${name}`)} words={words} max={limit} value={now}>
      {seconds > 0 && t("visitor.returns", { wait: inTime(seconds) })}
    </Meter>
  );
}
