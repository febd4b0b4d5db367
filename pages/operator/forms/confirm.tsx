import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import type { Denied } from "../api.ts";
import { Problem } from "../problem.tsx";
import { Dialog } from "./dialog.tsx";

interface ConfirmProps {
  readonly title: string;
  readonly words: string;
  /** What the button does. */
  readonly action: string;
  readonly act: () => Promise<unknown>;
  readonly onClose: () => void;
  /** What must be typed first, where there is no way back. */
  readonly typed?: string;
  readonly children?: ComponentChildren;
}

/** Asks before something is done, and says why it was not. */
export function Confirm({ title, words, action, act, onClose, typed, children }: ConfirmProps) {
  const id = useId();
  const [text, setText] = useState("");
  const [denied, setDenied] = useState<Denied | null>(null);
  const isActing = useRef(false);
  const isReady = typed === undefined || asShown(text) === asShown(typed);
  const submit = () => {
    if (isActing.current || !isReady) return;
    isActing.current = true;
    act()
      .then(onClose, setDenied)
      .finally(() => {
        isActing.current = false;
      });
  };
  return (
    <Dialog title={title} onClose={onClose} onSubmit={submit}>
      <p>{words}</p>
      {children}
      {typed !== undefined && (
        <p>
          <label for={id}>{t("operator.form.type", { name: typed })}</label>
          <input
            id={id}
            class="whole"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </p>
      )}
      <Problem problem={denied} />
      <div class="row">
        <button type="submit" class="main" aria-disabled={!isReady}>
          {action}
        </button>
        <button type="button" onClick={onClose}>
          {t("operator.form.cancel")}
        </button>
      </div>
    </Dialog>
  );
}

/** Blanks look like one, also those that do not break. */
function asShown(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
