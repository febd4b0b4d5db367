import { inTime } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import type { Upstream } from "./routing.ts";

/** Breakers open and close by themselves. */
export const REFRESH_MS = 5_000;

/** Whether an upstream is used, and when it will be again. */
export function BreakerMark({ upstream }: { readonly upstream: Upstream }) {
  const { state, retry_after_seconds: seconds } = upstream;
  if (state === null) return <>–</>;
  const wait = state === "open" && seconds !== null ? inTime(seconds) : "";
  return (
    <span class={state === "closed" ? "now good" : "now bad"}>
      {t(`operator.routing.is.${state}`, { wait })}
    </span>
  );
}
