import { useEffect, useRef } from "preact/hooks";
import { t } from "../shared/texts.ts";

interface ConfirmProps {
  readonly text: string;
  readonly request: string;
  readonly onSend: () => void;
  readonly onClose: () => void;
}

/** Asks before what may do harm. The browser holds the focus inside and gives it back. */
export function Confirm({ text, request, onSend, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} aria-labelledby="confirm" onClose={onClose}>
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
