import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** Closer than this to the end, the reader follows the answer. */
const NEAR_PX = 120;

/** Keeps the end of what grows in view, until the reader scrolls away; what is returned follows it again. */
export function useEndInView(end: RefObject<HTMLElement | null>): () => void {
  const isFollowed = useRef(true);
  const lastY = useRef(0);
  useEffect(() => {
    const look = () => {
      const bottom = end.current?.getBoundingClientRect().bottom ?? 0;
      isFollowed.current = bottom <= innerHeight + NEAR_PX;
      lastY.current = scrollY;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useLayoutEffect(() => {
    // the event of a scroll may still be to come
    if (scrollY < lastY.current) isFollowed.current = false;
    if (isFollowed.current) end.current?.scrollIntoView({ block: "nearest" });
    lastY.current = scrollY;
  });
  return useCallback(() => {
    isFollowed.current = true;
    lastY.current = 0;
  }, []);
}
