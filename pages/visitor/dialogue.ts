import { useEffect, useRef, useState } from "preact/hooks";
import { type WindowState, windowsOf } from "./limits.ts";
import { ask, bodyOf, type Ending, type Message, type Settings, Wait } from "./question.ts";

/** A question and what has come of it. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
  readonly state: "open" | "stopped" | "failed" | Ending;
  /** Why there is no answer, in words. */
  readonly reason: string;
  /** From when on it may be sent again; 0: now. */
  readonly waitUntil: number;
}

/** A stream is drawn this often: more would cost the reader's battery. */
const DRAW_EACH_MS = 60;
const unanswered = { answer: "", state: "open", reason: "", waitUntil: 0 } as const;

/** What goes with the next question: whole pairs only. */
function historyOf(turns: readonly Turn[]): readonly Message[] {
  return turns
    .filter(({ answer }) => answer !== "")
    .flatMap(({ question, answer }) => [
      { role: "user", content: question } as const,
      { role: "assistant", content: answer } as const,
    ]);
}

/** The conversation on the page. */
export function useDialogue(settings: Settings, credential: string) {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [windows, setWindows] = useState<readonly WindowState[]>([]);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  /** Asks in the place of turn `at`; what came after it goes. */
  const askAt = async (at: number, question: string): Promise<void> => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    const before = turns.slice(0, at);
    const show = (change: Partial<Turn>) => {
      if (running.current === own) setTurns([...before, { question, ...unanswered, ...change }]);
    };
    let answer = "";
    let drawing: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      drawing = undefined;
      show({ answer });
    };
    show({});
    const history = settings.continuous ? historyOf(before) : [];
    const state = await ask(bodyOf(settings, history, question), {
      credential,
      signal: own.signal,
      onHeaders: (headers) => setWindows(windowsOf(headers, Date.now())),
      onText: (text) => {
        answer += text;
        drawing ??= setTimeout(draw, DRAW_EACH_MS);
      },
    }).then((ending) => ({ state: ending }), failureOf);
    clearTimeout(drawing);
    show({ answer, ...state });
    if (running.current === own) running.current = null;
  };

  const isOpen = turns.at(-1)?.state === "open";
  return {
    turns,
    windows,
    isOpen,
    askAt: (at: number, question: string) => void askAt(at, question),
    stop: () => running.current?.abort(),
    clear: () => {
      running.current?.abort();
      running.current = null;
      setTurns([]);
    },
  };
}

export type Dialogue = ReturnType<typeof useDialogue>;

function failureOf(error: Error): Pick<Turn, "state"> & Partial<Turn> {
  if (error.name === "AbortError") return { state: "stopped" };
  const waitUntil = error instanceof Wait ? Date.now() + error.seconds * 1_000 : 0;
  return { state: "failed", reason: error.message, waitUntil };
}
