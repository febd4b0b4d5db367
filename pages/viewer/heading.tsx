import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface HeadingProps {
  readonly takesFocus: boolean;
  readonly children: ComponentChildren;
}

/** Where a reader who has followed a link goes on, and not behind a hundred links. */
export function Heading({ takesFocus, children }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) heading.current?.focus();
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
