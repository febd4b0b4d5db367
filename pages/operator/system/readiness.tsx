import { useEffect, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { usePulse } from "../pulse.ts";
import { wordOr } from "../words.ts";

interface Ready {
  readonly status: "ready" | "unready" | "draining";
  readonly checks: Readonly<Record<string, boolean>>;
  readonly degraded: readonly string[];
}

const REFRESH_MS = 10_000;
const MAX_MS = 10_000;

/** What `/readyz` says, which is JSON with a status of its own where something is down. */
export function Readiness() {
  const [ready, setReady] = useState<Ready | null>(null);
  const [isAway, setAway] = useState(false);
  const beats = usePulse(REFRESH_MS);
  useEffect(() => {
    fetch("readyz", { signal: AbortSignal.timeout(MAX_MS) })
      .then((response) => response.json())
      .then(
        (found: Ready) => {
          setReady(found);
          setAway(false);
        },
        () => setAway(true),
      );
  }, [beats]);
  return (
    <div role="status">
      {isAway && <p class="warning">{t("offline")}</p>}
      {ready !== null && !isAway && (
        <>
          <p class={`state ${stateOf(ready)}`}>{t(`status.${stateOf(ready)}`)}</p>
          {reasonsOf(ready).map((reason) => (
            <p key={reason}>{wordOr(`status.reason.${reason}`, reason)}</p>
          ))}
        </>
      )}
    </div>
  );
}

function stateOf({ status, degraded }: Ready): "up" | "degraded" | "down" {
  if (status !== "ready") return "down";
  return degraded.length > 0 ? "degraded" : "up";
}

function reasonsOf({ status, checks, degraded }: Ready): readonly string[] {
  const down = ["database", "limits"].filter((name) => checks[name] === false);
  const draining = status === "draining" ? ["draining"] : [];
  return [...new Set([...draining, ...down, ...degraded])];
}
