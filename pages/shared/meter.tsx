import type { ComponentChildren } from "preact";

interface MeterProps {
  readonly label: string;
  /** How much is left, in words. */
  readonly words: string;
  readonly max: number;
  /** Null: not known. */
  readonly value: number | null;
  readonly children?: ComponentChildren;
}

/** What is left of a limit. */
export function Meter({ label, words, max, value, children }: MeterProps) {
  return (
    <div>
      <div class="of">
        <span>{label}</span>
        <span>{words}</span>
      </div>
      {value !== null && <progress aria-label={label} max={max} value={value} />}
      <div class="quiet">{children}</div>
    </div>
  );
}
