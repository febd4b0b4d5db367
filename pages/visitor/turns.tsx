import { useState } from "preact/hooks";
import { CopyButton } from "../shared/copy.tsx";
import { useSecondsUntil } from "../shared/countdown.ts";
import { inTime } from "../shared/format.ts";
import { t } from "../shared/texts.ts";
import type { Dialogue, Turn } from "./dialogue.ts";
import { Markdown } from "./markdown.tsx";

interface TurnsProps {
  readonly dialogue: Dialogue;
  readonly onAsked: () => void;
}

/** The questions and their answers. */
export function Turns({ dialogue, onAsked }: TurnsProps) {
  const { turns, isOpen, askAt } = dialogue;
  return (
    <>
      {turns.map((turn, at) => (
        <article class="message" key={at}>
          <Question
            text={turn.question}
            mayEdit={!isOpen}
            onChange={(question) => {
              askAt(at, question);
              onAsked();
            }}
          />
          <Answer turn={turn} />
          <Actions
            turn={turn}
            isLast={at === turns.length - 1}
            again={() => {
              askAt(at, turn.question);
              onAsked();
            }}
            goOn={() => {
              askAt(at + 1, t("visitor.continue_question"));
              onAsked();
            }}
          />
        </article>
      ))}
    </>
  );
}

interface QuestionProps {
  readonly text: string;
  readonly mayEdit: boolean;
  readonly onChange: (text: string) => void;
}

function Question({ text, mayEdit, onChange }: QuestionProps) {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <div>
        <div class="question">{text}</div>
        {mayEdit && (
          <button type="button" class="plain" onClick={() => setDraft(text)}>
            {t("visitor.edit")}
          </button>
        )}
      </div>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() === "") return;
        setDraft(null);
        onChange(draft);
      }}
    >
      <textarea
        ref={(area) => area?.focus()}
        aria-label={t("visitor.edit")}
        value={draft}
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
      />
      <div class="row">
        <button type="submit" class="main">
          {t("visitor.ask")}
        </button>
        <button type="button" onClick={() => setDraft(null)}>
          {t("visitor.cancel")}
        </button>
      </div>
    </form>
  );
}

/** Read aloud when it is complete, not at each piece. */
function Answer({ turn: { answer, state, reason } }: { readonly turn: Turn }) {
  const isOpen = state === "open";
  const note = { stopped: "stopped", cut: "cut", long: "long" }[String(state)];
  return (
    <div aria-live="polite" aria-busy={isOpen}>
      <div class={isOpen ? "answer open" : "answer"}>
        <Markdown text={answer} />
      </div>
      {note !== undefined && <p class="warning">{t(`visitor.${note}`)}</p>}
      {state === "failed" && <p class="warning">{reason}</p>}
    </div>
  );
}

interface ActionsProps {
  readonly turn: Turn;
  readonly isLast: boolean;
  readonly again: () => void;
  readonly goOn: () => void;
}

function Actions({ turn, isLast, again, goOn }: ActionsProps) {
  const { answer, state, waitUntil } = turn;
  const seconds = useSecondsUntil(waitUntil);
  if (state === "open") return null;
  const word = state === "failed" ? "send_again" : "again";
  return (
    <div class="row">
      {answer !== "" && <CopyButton text={() => answer} />}
      {isLast && (
        <button type="button" class="plain" disabled={seconds > 0} onClick={again}>
          {t(`visitor.${word}`)}
        </button>
      )}
      {isLast && seconds > 0 && (
        <span class="quiet">{t("visitor.wait", { wait: inTime(seconds) })}</span>
      )}
      {isLast && state === "long" && (
        <button type="button" class="plain" onClick={goOn}>
          {t("visitor.go_on")}
        </button>
      )}
    </div>
  );
}
