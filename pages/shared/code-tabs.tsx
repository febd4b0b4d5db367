import { useState } from "preact/hooks";
import { CopyButton } from "./copy.tsx";

export interface Sample {
  readonly name: string;
  readonly shown: string;
  /** What is copied, where it is not what is shown. */
  readonly copied?: string;
}

interface CodeTabsProps {
  readonly label: string;
  readonly samples: readonly Sample[];
}

/** Pieces of text to paste elsewhere, of which one is shown. */
export function CodeTabs({ label, samples }: CodeTabsProps) {
  const [chosen, choose] = useState(0);
  const sample = samples[chosen];
  const copied = sample?.copied ?? sample?.shown ?? "";
  return (
    <>
      <fieldset class="row" aria-label={label}>
        {samples.map(({ name }, index) => (
          <button
            key={name}
            type="button"
            aria-pressed={index === chosen}
            onClick={() => choose(index)}
          >
            {name}
          </button>
        ))}
      </fieldset>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys */}
      <pre tabIndex={0}>{sample?.shown}</pre>
      {/* another text has not been copied yet */}
      <CopyButton key={copied} text={() => copied} />
    </>
  );
}
