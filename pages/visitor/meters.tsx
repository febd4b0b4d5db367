import { useSecondsUntil } from "../shared/countdown.ts";
import { count, inTime } from "../shared/format.ts";
import { t } from "../shared/texts.ts";
import type { WindowState } from "./limits.ts";

/** What is left of each limit. */
export function Meters({ windows }: { readonly windows: readonly WindowState[] }) {
  if (windows.length === 0) return null;
  return (
    <section class="meters" aria-label={t("visitor.limits")}>
      {windows.map((window) => (
        <Meter key={window.name} {...window} />
      ))}
    </section>
  );
}

function Meter({ name, limit, left, returnsAt }: WindowState) {
  const seconds = useSecondsUntil(returnsAt);
  // then the oldest call has left
  const now = seconds > 0 ? left : Math.min(limit, left + 1);
  const label = t(`window.${name}`);
  return (
    <div>
      {label}: {t("visitor.left", { left: count(now), limit: count(limit) })}
      <progress aria-label={label} max={limit} value={now} />
      {seconds > 0 && <span class="quiet">{t("visitor.returns", { wait: inTime(seconds) })}</span>}
    </div>
  );
}
