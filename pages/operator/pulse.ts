import { useEffect, useState } from "preact/hooks";

/** Counts up as time passes, while the page is seen; at once when it is seen again. */
export function usePulse(everyMs: number, isOn = true): number {
  const [beats, setBeats] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const beat = () => {
      if (document.visibilityState === "visible") setBeats((before) => before + 1);
    };
    const timer = setInterval(beat, everyMs);
    document.addEventListener("visibilitychange", beat);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", beat);
    };
  }, [everyMs, isOn]);
  return beats;
}
