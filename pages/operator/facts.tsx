import type { ComponentChildren } from "preact";

interface FactsProps {
  /** Label and value; what has no value is left out. */
  readonly facts: readonly (readonly [string, ComponentChildren])[];
}

export function FactList({ facts }: FactsProps) {
  const known = facts.filter(([, value]) => value !== null && value !== "");
  return (
    <dl class="facts">
      {known.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
