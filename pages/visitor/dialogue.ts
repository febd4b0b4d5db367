import { useEffect, useState } from "preact/hooks";
import { Refused } from "../shared/requests.ts";
import { type WindowState, windowsOf } from "./limits.ts";
import { paced } from "./paced.ts";
import { ask, bodyOf, type Message, type Settings, Wait } from "./question.ts";
import {
  changed,
  emptyTree,
  hasAnswer,
  pathOf,
  pathTo,
  START,
  showing,
  type Tree,
  type Turn,
  versionsOf,
  withTurn,
} from "./tree.ts";

const unanswered = { answer: "", state: "open", reason: "", status: 0, waitUntil: 0 } as const;

/** What goes with the next question: whole pairs only. */
function historyOf(turns: readonly Turn[]): readonly Message[] {
  return turns
    .filter(hasAnswer)
    .flatMap(({ question, answer }) => [
      { role: "user", content: question } as const,
      { role: "assistant", content: answer } as const,
    ]);
}

/** What goes with a question of what stands before it: all, or the parts of the answer it goes on with. */
function sentOf(before: readonly Turn[], { continuous }: Settings, goesOn: boolean) {
  if (continuous) return before;
  return goesOn ? before.slice(before.findLastIndex((turn) => !turn.goesOn)) : [];
}

type Place = Pick<Turn, "id" | "after" | "asked" | "question" | "goesOn">;

/** The conversation on the page. Its functions stay the same while it changes. */
export class Dialogue {
  tree: Tree = emptyTree;
  windows: readonly WindowState[] = [];
  settings: Settings | null = null;
  credential = "";
  onChange: () => void = () => undefined;
  #lastId = START;
  #running: { readonly id: number; readonly control: AbortController } | null = null;

  /** Whether an answer is under way, also in a branch that is not shown. */
  get isOpen(): boolean {
    return this.#running !== null;
  }

  /** Asks at the end of the branch that is shown. */
  readonly ask = (question: string): void => {
    this.#askNew({ after: pathOf(this.tree).at(-1)?.id ?? START, question, goesOn: false });
  };

  /** Asks for the rest of a turn's answer, in these words. */
  readonly goOn = (id: number, question: string): void => {
    this.#askNew({ after: id, question, goesOn: true });
  };

  /** Asks something else in the place of a turn, which stays as a branch. */
  readonly edit = (id: number, question: string): void => {
    const turn = this.tree.turns.get(id);
    if (turn !== undefined) this.#askNew({ ...turn, question });
  };

  /** Asks the same again. The answer there was stays as a branch. */
  readonly again = (id: number): void => {
    const turn = this.tree.turns.get(id);
    if (turn === undefined) return;
    void this.#run(hasAnswer(turn) ? { ...turn, id: this.#newId() } : turn);
  };

  readonly show = (id: number): void => {
    this.#set(showing(this.tree, id));
  };

  readonly stop = (): void => this.#running?.control.abort();

  readonly clear = (): void => {
    this.stop();
    this.#running = null;
    this.#set(emptyTree);
  };

  #askNew({ after, question, goesOn }: Pick<Place, "after" | "question" | "goesOn">): void {
    const id = this.#newId();
    void this.#run({ id, after, asked: id, question, goesOn });
  }

  #newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #set(tree: Tree): void {
    this.tree = tree;
    this.onChange();
  }

  async #run({ id, after, asked, question, goesOn }: Place): Promise<void> {
    const { settings, credential } = this;
    if (settings === null) return;
    this.stop();
    const running = { id, control: new AbortController() };
    this.#running = running;
    this.#set(withTurn(this.tree, { id, after, asked, question, goesOn, ...unanswered }));
    const history = historyOf(sentOf(pathTo(this.tree, after), settings, goesOn));
    let answer = "";
    const drawing = paced(() => this.#set(changed(this.tree, id, { answer })));
    const end = await ask(bodyOf(settings, history, question), {
      credential,
      signal: running.control.signal,
      onHeaders: (headers) => {
        this.windows = windowsOf(headers, Date.now());
      },
      onText: (text) => {
        answer += text;
        drawing.want();
      },
    }).then((ending) => ({ state: ending }), failureOf);
    drawing.end();
    if (this.#running === running) this.#running = null;
    // after `clear` the turn is no longer there
    this.#set(changed(this.tree, id, { answer, ...end }));
  }
}

export function useDialogue(settings: Settings, credential: string) {
  const [dialogue] = useState(() => new Dialogue());
  const [, redraw] = useState(0);
  dialogue.settings = settings;
  dialogue.credential = credential;
  dialogue.onChange = () => redraw((times) => times + 1);
  useEffect(() => dialogue.stop, []);
  return { dialogue, path: pathOf(dialogue.tree), versions: versionsOf(dialogue.tree) };
}

function failureOf(error: Error): Partial<Turn> {
  if (error.name === "AbortError") return { state: "stopped" };
  const waitUntil = error instanceof Wait ? Date.now() + error.seconds * 1_000 : 0;
  const status = error instanceof Refused ? error.status : 0;
  return { state: "failed", reason: error.message, status, waitUntil };
}
