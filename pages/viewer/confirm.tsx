import type { RefObject } from "preact";
import { t } from "../shared/texts.ts";

interface ConfirmProps {
  /** Shown by its `showModal`. */
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly text: string;
  readonly request: string;
  readonly onSend: () => void;
}

/** Asks before what may do harm. The browser holds the focus inside and gives it back. */
export function Confirm({ dialog, text, request, onSend }: ConfirmProps) {
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} aria-labelledby="confirm">
      <p id="confirm">{text}</p>
      <p>
        <code>{request}</code>
      </p>
      <div class="row">
        {/* the harmless one has the focus at first */}
        <button type="button" onClick={close}>
          {t("visitor.cancel")}
        </button>
        <button
          type="button"
          class="main"
          onClick={() => {
            close();
            onSend();
          }}
        >
          {t("viewer.send")}
        </button>
      </div>
    </dialog>
  );
}
