import { CopyButton } from "../shared/copy.tsx";
import { useSecondsUntil } from "../shared/countdown.ts";
import { data } from "../shared/data.ts";
import { inTime } from "../shared/format.ts";
import { memo } from "../shared/memo.tsx";
import { currentLanguage, t } from "../shared/texts.ts";
import { Answer } from "./answer.tsx";
import type { Dialogue } from "./dialogue.ts";
import { QuestionView } from "./question-view.tsx";
import { hasAnswer, type Turn, type Versions } from "./tree.ts";
import { VersionSwitch } from "./versions.tsx";

interface TurnsProps {
  readonly dialogue: Dialogue;
  readonly path: readonly Turn[];
  readonly versions: ReadonlyMap<number, Versions>;
  /** After a button that asked; it may be gone. */
  readonly onAsked: () => void;
  /** The reader has to give a key. */
  readonly onKeyWanted: () => void;
}

const NEAR_TURNS = 50;

/** The questions and answers of the branch that is shown. */
export function Turns({ path, versions, dialogue, ...more }: TurnsProps) {
  return (
    <>
      {path.map((turn, at) => (
        // a place keeps its elements, and so the focus, when another version is shown in it
        <TurnView
          key={at}
          turn={turn}
          questions={String(versions.get(turn.id)?.questions)}
          answers={String(versions.get(turn.id)?.answers)}
          isLast={at === path.length - 1}
          isFar={at < path.length - NEAR_TURNS}
          // of the others, asking changes nothing: a long conversation is not drawn anew
          isOpen={at === path.length - 1 && dialogue.isOpen}
          language={currentLanguage()}
          dialogue={dialogue}
          {...more}
        />
      ))}
    </>
  );
}

interface TurnViewProps extends Pick<TurnsProps, "dialogue" | "onAsked" | "onKeyWanted"> {
  readonly turn: Turn;
  /** Ids with commas, so that they compare. */
  readonly questions: string;
  readonly answers: string;
  readonly isLast: boolean;
  /** So far back that it is laid out only where it is seen. */
  readonly isFar: boolean;
  /** Of the last turn: whether an answer is under way, here or in another branch. */
  readonly isOpen: boolean;
  readonly language: string;
}

const idsIn = (list: string) => list.split(",").map(Number);

const TurnView = memo(function TurnOf(props: TurnViewProps) {
  const { turn, questions, answers, isFar, language, dialogue, onAsked } = props;
  // of another question, its answer shown last
  const showQuestion = (id: number) => dialogue.show(dialogue.tree.answers.get(id) ?? id);
  return (
    <article class={isFar ? "message far" : "message"}>
      <div class="row asked">
        <QuestionView
          key={turn.asked}
          text={turn.question}
          onChange={(question) => {
            dialogue.edit(turn.id, question);
            onAsked();
          }}
        />
        <VersionSwitch
          label={t("visitor.questions")}
          versions={idsIn(questions)}
          current={turn.asked}
          onShow={showQuestion}
        />
      </div>
      <Answer key={turn.id} turn={turn} language={language} />
      <div class="row">
        <Actions key={turn.id} {...props} />
        <VersionSwitch
          label={t("visitor.answers")}
          versions={idsIn(answers)}
          current={turn.id}
          onShow={dialogue.show}
        />
      </div>
    </article>
  );
});

const UNAUTHORIZED = 401;
const BAD_REQUEST = 400;

/** The server wants another key, or has none to share and was given none. */
function wantsKey(status: number, credential: string): boolean {
  if (status === UNAUTHORIZED) return true;
  return status === BAD_REQUEST && credential === "" && !data.sharedKey;
}

function Actions({ turn, isLast, isOpen, dialogue, onAsked, onKeyWanted }: TurnViewProps) {
  const { answer, state, status, waitUntil } = turn;
  const seconds = useSecondsUntil(waitUntil);
  if (state === "open") return null;
  const asking = (ask: () => void) => () => {
    ask();
    onAsked();
  };
  const isAnswered = hasAnswer(turn);
  const isMadeAnew = isAnswered ? state !== "failed" : state === "cut";
  const word = isMadeAnew ? "again" : "send_again";
  return (
    <>
      {isAnswered && <CopyButton text={() => answer} />}
      {isLast && !isOpen && (
        <button
          type="button"
          class="plain"
          disabled={seconds > 0}
          onClick={asking(() => dialogue.again(turn.id))}
        >
          {t(`visitor.${word}`)}
        </button>
      )}
      {isLast && seconds > 0 && (
        <span class="quiet">{t("visitor.wait", { wait: inTime(seconds) })}</span>
      )}
      {isLast && !isOpen && state === "long" && isAnswered && (
        <button
          type="button"
          class="plain"
          onClick={asking(() => dialogue.goOn(turn.id, t("visitor.continue_question")))}
        >
          {t("visitor.go_on")}
        </button>
      )}
      {wantsKey(status, dialogue.credential) && (
        <button type="button" class="plain" onClick={onKeyWanted}>
          {t("visitor.give_key")}
        </button>
      )}
    </>
  );
}
