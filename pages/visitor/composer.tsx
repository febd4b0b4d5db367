import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { t } from "../shared/texts.ts";

interface ComposerProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly isOpen: boolean;
  readonly hasTurns: boolean;
  readonly onDraft: (draft: string) => void;
  readonly onAsk: (question: string) => void;
  readonly onStop: () => void;
  readonly onClear: () => void;
}

/** Where a question is written; while an answer is open, where it is stopped. */
export function Composer(props: ComposerProps) {
  const { field, isOpen, hasTurns, onDraft, onAsk, onStop, onClear } = props;
  const [draft, setDraft] = useState("");
  const write = (text: string) => {
    setDraft(text);
    onDraft(text);
  };
  const send = () => {
    if (draft.trim() === "" || isOpen) return;
    onAsk(draft);
    write("");
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label for="question">{t("visitor.question")}</label>
      <textarea
        id="question"
        ref={field}
        rows={3}
        aria-describedby="keys"
        value={draft}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={(event) => {
          // the Enter that ends the composition of a word is not for us
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <div class="row">
        {isOpen ? (
          <button type="button" class="main" key="stop" onClick={onStop}>
            {t("visitor.stop")}
          </button>
        ) : (
          <button type="submit" class="main" key="ask" disabled={draft.trim() === ""}>
            {t("visitor.ask")}
          </button>
        )}
        {hasTurns && (
          <button type="button" onClick={onClear}>
            {t("visitor.new")}
          </button>
        )}
        <span class="quiet" id="keys">
          {t("visitor.keys")}
        </span>
      </div>
    </form>
  );
}
