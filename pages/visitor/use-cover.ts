import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** For the outline of what has the focus. */
const GAP_PX = 8;

/** Keeps what gets the focus out from behind what sticks to the window's lower edge, however high that is. */
export function useCover(cover: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const { current } = cover;
    if (current === null) return;
    const { style } = document.documentElement;
    const watch = new ResizeObserver(() => {
      style.scrollPaddingBottom = `${current.offsetHeight + GAP_PX}px`;
    });
    watch.observe(current);
    return () => watch.disconnect();
  }, []);
}
