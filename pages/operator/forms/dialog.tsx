import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface DialogProps {
  readonly title: string;
  /** Also by Escape. */
  readonly onClose: () => void;
  /** A button that submits closes the dialog, unless `onSubmit` is given. */
  readonly onSubmit?: (event: Event) => void;
  readonly children: ComponentChildren;
}

/** Over the page, which is inert meanwhile; the focus returns to where it was. */
export function Dialog({ title, onClose, onSubmit, children }: DialogProps) {
  const id = useId();
  const place = useRef<HTMLDialogElement>(null);
  const isHere = useRef(true);
  useEffect(() => {
    const dialog = place.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      isHere.current = false;
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    // the event comes later, when another dialog may be open
    <dialog ref={place} aria-labelledby={id} onClose={() => isHere.current && onClose()}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (onSubmit === undefined) onClose();
          else onSubmit(event);
        }}
      >
        <h2 id={id}>{title}</h2>
        {children}
      </form>
    </dialog>
  );
}
