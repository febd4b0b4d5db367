import { useEffect, useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import { Markdown } from "./markdown.tsx";
import { hasAnswer, type Turn } from "./tree.ts";

interface AnswerProps {
  readonly turn: Turn;
  readonly language: string;
}

/** Read aloud when it is complete, not at each piece. */
export function Answer({ turn, language }: AnswerProps) {
  const { answer, state } = turn;
  const isOpen = state === "open";
  const note = noteOf(turn);
  return (
    <div aria-live="polite" aria-busy={isOpen}>
      <div class={isOpen ? "answer open" : "answer"}>
        <Markdown text={answer} language={language} isOpen={isOpen} />
      </div>
      {isOpen && <Silence after={answer.length} />}
      {note !== "" && <p class="warning">{note}</p>}
    </div>
  );
}

/** What is wrong with an answer; empty: nothing. */
function noteOf(turn: Turn): string {
  const { state, reason } = turn;
  const empty = hasAnswer(turn) ? "" : t("visitor.empty");
  switch (state) {
    case "open":
      return "";
    case "done":
      return empty;
    case "failed":
      return reason;
    case "long":
    case "filtered": {
      const why = t(`visitor.${state}`);
      return empty === "" ? why : t("sentences", { first: empty, second: why });
    }
    default:
      return t(`visitor.${state}`);
  }
}

/** An answer that brings nothing for so long may never end. */
const SILENCE_MS = 15_000;

/** Says that nothing comes, and what can be done. `after` changes with each piece. */
function Silence({ after }: { readonly after: number }) {
  const [silentAt, setSilentAt] = useState<number | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setSilentAt(after), SILENCE_MS);
    return () => clearTimeout(timer);
  }, [after]);
  return silentAt === after ? <p class="quiet">{t("visitor.silent")}</p> : null;
}
