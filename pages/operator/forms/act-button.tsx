import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Denied } from "../api.ts";
import { Problem } from "../problem.tsx";

interface ActButtonProps {
  readonly act: () => Promise<unknown>;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** Does something once at a time, and says why it was not done. */
export function ActButton({ act, children, ...more }: ActButtonProps) {
  const [denied, setDenied] = useState<Denied | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isActing = useRef(false);
  const press = () => {
    if (isActing.current) return;
    isActing.current = true;
    setBusy(true);
    act()
      .then(() => setDenied(null), setDenied)
      .finally(() => {
        isActing.current = false;
        setBusy(false);
      });
  };
  return (
    <>
      <button type="button" aria-disabled={isBusy} onClick={press} {...more}>
        {children}
      </button>
      <Problem problem={denied} />
    </>
  );
}
