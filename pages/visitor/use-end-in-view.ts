import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** Closer than this to the end, the reader follows the answer. */
const NEAR_PX = 120;

/** Keeps the end of what grows in view, until the reader scrolls away from it. */
export function useEndInView(end: RefObject<HTMLElement | null>): void {
  const isFollowed = useRef(true);
  useEffect(() => {
    const look = () => {
      const bottom = end.current?.getBoundingClientRect().bottom ?? 0;
      isFollowed.current = bottom <= innerHeight + NEAR_PX;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useLayoutEffect(() => {
    if (isFollowed.current) end.current?.scrollIntoView({ block: "nearest" });
  });
}
