import { useEffect, useState } from "preact/hooks";

const SECOND_MS = 1_000;

/** Whole seconds until a moment, which go down to 0. */
export function useSecondsUntil(moment: number): number {
  const left = () => Math.max(0, Math.ceil((moment - Date.now()) / SECOND_MS));
  const [, redraw] = useState(0);
  useEffect(() => {
    if (left() === 0) return;
    const timer = setInterval(() => {
      redraw((times) => times + 1);
      if (left() === 0) clearInterval(timer);
    }, SECOND_MS / 2);
    return () => clearInterval(timer);
  }, [moment]);
  return left();
}
