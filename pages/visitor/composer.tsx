import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import { QuestionField } from "./question-field.tsx";
import { useCover } from "./use-cover.ts";

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
  const form = useRef<HTMLFormElement>(null);
  useCover(form);
  const isEmpty = draft.trim() === "";
  const write = (text: string) => {
    setDraft(text);
    onDraft(text);
  };
  const send = () => {
    if (isEmpty || isOpen) return;
    onAsk(draft);
    write("");
  };
  return (
    <form
      ref={form}
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (isOpen) onStop();
        else send();
      }}
    >
      <label for="question">{t("visitor.question")}</label>
      <QuestionField
        field={field}
        id="question"
        describedBy="keys"
        value={draft}
        onInput={write}
        onSend={send}
      />
      <div class="row">
        {/* one button, never disabled: it keeps the focus when the answer ends by itself */}
        <button
          type="submit"
          class="main"
          aria-disabled={!isOpen && isEmpty}
          onClick={(event) => {
            // the second of a double click: by now the button means something else
            if (event.detail > 1) event.preventDefault();
          }}
        >
          {t(isOpen ? "visitor.stop" : "visitor.ask")}
        </button>
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
