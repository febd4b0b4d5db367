import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { CopyButton } from "../shared/copy.tsx";

interface CodeProps {
  readonly text: string;
  /** As written behind the fence. */
  readonly name: string;
  readonly isOpen: boolean;
}

/** A piece of code, in colors once it is whole. */
export function Code({ text, name, isOpen }: CodeProps) {
  const colored = useColors(text, name, isOpen);
  return (
    <div class="code">
      <div class="row">
        <span class="quiet">{name}</span>
        <CopyButton text={() => text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys */}
      <pre tabIndex={0}>
        <code>{colored ?? text}</code>
      </pre>
    </div>
  );
}

/** Longer code stays plain: what is made to be slow costs with the square of its length. */
const MAX_COLORED = 5_000;

/** Null: not colored, or not yet. What colors is loaded at its first use, and not missed if it fails. */
function useColors(text: string, name: string, isOpen: boolean): ComponentChildren {
  const [found, setFound] = useState<{ of: string; colored: ComponentChildren } | null>(null);
  const isWanted = !isOpen && name !== "" && text.length <= MAX_COLORED;
  useEffect(() => {
    if (!isWanted) return;
    let isCurrent = true;
    const loaded = import("./colors.tsx").then(({ colorsOf }) => colorsOf(text, name));
    loaded.then(
      (colored) => {
        if (isCurrent) setFound({ of: text, colored });
      },
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [isWanted, text, name]);
  return isWanted && found?.of === text ? found.colored : null;
}
