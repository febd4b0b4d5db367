import type { ComponentChildren } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";
import { ViewsSeen } from "../seen.ts";

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
  const isSeen = useContext(ViewsSeen);
  // browsers tell of a closed dialog a frame later, when there may be another one
  const isShown = useRef(false);
  const [before] = useState(() => document.activeElement);
  useEffect(() => {
    // unseen, it would still make all else inert, and nobody could sign in
    if (!isSeen) return;
    const dialog = place.current;
    dialog?.showModal();
    isShown.current = true;
    return () => {
      isShown.current = false;
      dialog?.close();
    };
  }, [isSeen]);
  useEffect(() => {
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={place} aria-labelledby={id} onClose={() => isShown.current && onClose()}>
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
