import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface HeadingProps {
  readonly takesFocus: boolean;
  /** Where the reader is stays in view. */
  readonly isStill?: boolean;
  readonly children: ComponentChildren;
}

/** Where a reader who has followed a link goes on, and not behind a hundred links. */
export function Heading({ takesFocus, isStill = false, children }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) heading.current?.focus({ preventScroll: isStill });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
