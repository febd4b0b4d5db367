import { useEffect, useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import { Markdown } from "./markdown.tsx";
import type { Turn } from "./tree.ts";

interface AnswerProps {
  readonly turn: Turn;
  readonly language: string;
}

/** Read aloud when it is complete, not at each piece. */
export function Answer({ turn: { answer, state, reason }, language }: AnswerProps) {
  const isOpen = state === "open";
  const note = { stopped: "stopped", cut: "cut", long: "long" }[String(state)];
  return (
    <div aria-live="polite" aria-busy={isOpen}>
      <div class={isOpen ? "answer open" : "answer"}>
        <Markdown text={answer} language={language} isOpen={isOpen} />
      </div>
      {isOpen && <Silence after={answer.length} />}
      {note !== undefined && <p class="warning">{t(`visitor.${note}`)}</p>}
      {state === "failed" && <p class="warning">{reason}</p>}
    </div>
  );
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
