import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import { QuestionField } from "./question-field.tsx";

interface QuestionViewProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
}

/** A question that was asked, and the field in which it is changed. */
export function QuestionView({ text, onChange }: QuestionViewProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const wasEdited = useRef(false);
  useLayoutEffect(() => {
    // the button that had the focus was away
    if (draft === null && wasEdited.current) button.current?.focus();
    wasEdited.current = draft !== null;
  }, [draft === null]);
  if (draft !== null) {
    const send = () => {
      if (draft.trim() === "") return;
      wasEdited.current = false;
      setDraft(null);
      onChange(draft);
    };
    const cancel = () => setDraft(null);
    return <Editor draft={draft} onInput={setDraft} onSend={send} onCancel={cancel} />;
  }
  return (
    <>
      <div class="question">{text}</div>
      <button ref={button} type="button" class="plain" onClick={() => setDraft(text)}>
        {t("visitor.edit")}
      </button>
    </>
  );
}

interface EditorProps {
  readonly draft: string;
  readonly onInput: (text: string) => void;
  readonly onSend: () => void;
  readonly onCancel: () => void;
}

function Editor({ draft, onInput, onSend, onCancel }: EditorProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSend();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.isComposing) return;
        event.stopPropagation();
        onCancel();
      }}
    >
      <QuestionField
        field={field}
        label={t("visitor.edit")}
        value={draft}
        onInput={onInput}
        onSend={onSend}
      />
      <div class="row">
        <button type="submit" class="main">
          {t("visitor.ask")}
        </button>
        <button type="button" onClick={onCancel}>
          {t("visitor.cancel")}
        </button>
      </div>
    </form>
  );
}
