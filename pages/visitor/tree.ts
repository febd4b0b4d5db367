/** How an answer ended. `cut`: before its end, by nobody's wish. */
export type Ending = "done" | "long" | "filtered" | "cut";

/** A question and what has come of it. */
export interface Turn {
  readonly id: number;
  /** The turn before it, or START. */
  readonly after: number;
  /** The first turn with this question here; the others hold other answers to it. */
  readonly asked: number;
  readonly question: string;
  /** Asks for the rest of the answer before it, without which it means nothing. */
  readonly goesOn: boolean;
  readonly answer: string;
  readonly state: "open" | "stopped" | "failed" | Ending;
  /** Why there is no answer, in words, and its HTTP status; 0: no response. */
  readonly reason: string;
  readonly status: number;
  /** From when on it may be sent again; 0: now. */
  readonly waitUntil: number;
}

/** A conversation with its branches. Nothing of it is kept outside the tab. */
export interface Tree {
  /** By id, oldest first. */
  readonly turns: ReadonlyMap<number, Turn>;
  /** Which turn is shown after which. */
  readonly shown: ReadonlyMap<number, number>;
  /** Which answer was shown last, by `asked`. */
  readonly answers: ReadonlyMap<number, number>;
}

/** Something to read, copy or go on from. */
export const hasAnswer = ({ answer }: Turn): boolean => answer.trim() !== "";

export const START = 0;
export const emptyTree: Tree = { turns: new Map(), shown: new Map(), answers: new Map() };

const MAX_TURNS = 1_000;
const MAX_CHARACTERS = 16 * 2 ** 20;

/** The turns of the branch that is shown. */
export function pathOf({ turns, shown }: Tree): readonly Turn[] {
  const path: Turn[] = [];
  let turn = turns.get(shown.get(START) ?? START);
  while (turn !== undefined) {
    path.push(turn);
    turn = turns.get(shown.get(turn.id) ?? START);
  }
  return path;
}

/** The turns before this one, first to last. */
export function pathTo({ turns }: Tree, after: number): readonly Turn[] {
  const path: Turn[] = [];
  for (let turn = turns.get(after); turn !== undefined; turn = turns.get(turn.after)) {
    path.push(turn);
  }
  return path.reverse();
}

/** What else stands in the place of each turn: other questions, and other answers to its own. */
export function versionsOf({ turns }: Tree): ReadonlyMap<number, Versions> {
  const questions = new Map<number, number[]>();
  const answers = new Map<number, number[]>();
  for (const { id, after, asked } of turns.values()) {
    if (id === asked) listAt(questions, after).push(id);
    listAt(answers, asked).push(id);
  }
  const versions = ({ after, asked }: Turn) => ({
    questions: listAt(questions, after),
    answers: listAt(answers, asked),
  });
  return new Map([...turns.values()].map((turn) => [turn.id, versions(turn)]));
}

function listAt(lists: Map<number, number[]>, key: number): number[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** Ids, oldest first. */
export interface Versions {
  readonly questions: readonly number[];
  readonly answers: readonly number[];
}

/** Shows a turn in its place. */
export function showing(tree: Tree, id: number): Tree {
  const turn = tree.turns.get(id);
  if (turn === undefined) return tree;
  return {
    ...tree,
    shown: new Map(tree.shown).set(turn.after, id),
    answers: new Map(tree.answers).set(turn.asked, id),
  };
}

/** Adds a turn or replaces the one with its id, and shows it. */
export function withTurn(tree: Tree, turn: Turn): Tree {
  const turns = new Map(tree.turns).set(turn.id, turn);
  return bounded(showing({ ...tree, turns }, turn.id));
}

/** Changes a turn, if it is still there. */
export function changed(tree: Tree, id: number, change: Partial<Turn>): Tree {
  const turn = tree.turns.get(id);
  if (turn === undefined) return tree;
  return { ...tree, turns: new Map(tree.turns).set(id, { ...turn, ...change }) };
}

function bounded(tree: Tree): Tree {
  let kept = tree;
  let characters = 0;
  for (const { question, answer } of kept.turns.values()) {
    characters += question.length + answer.length;
  }
  while (kept.turns.size > 1 && (kept.turns.size > MAX_TURNS || characters > MAX_CHARACTERS)) {
    const gone = leastWanted(kept);
    characters -= gone.question.length + gone.answer.length;
    kept = without(kept, gone);
  }
  return kept;
}

/** The oldest end of a branch that is not shown; else the beginning of the conversation. */
function leastWanted(tree: Tree): Turn {
  const path = pathOf(tree);
  const inUse = new Set([...path.map(({ id }) => id), ...followed(tree)]);
  const [first] = path;
  const end = [...tree.turns.values()].find(({ id }) => !inUse.has(id)) ?? first;
  if (end === undefined) throw new Error("a tree that is too large has turns");
  return end;
}

const followed = ({ turns }: Tree) => [...turns.values()].map(({ after }) => after);

function without({ turns, shown, answers }: Tree, { id, after, asked }: Turn): Tree {
  const left = [...turns.values()].filter((turn) => turn.id !== id);
  const sameQuestion = left.find((turn) => turn.asked === asked)?.id ?? START;
  const next = shown.get(id);
  const kept = left.map((turn) => ({
    ...turn,
    after: turn.after === id ? after : turn.after,
    asked: turn.asked === id ? sameQuestion : turn.asked,
  }));
  const places = new Map(shown);
  places.delete(id);
  if (places.get(after) === id) places.delete(after);
  if (next !== undefined) places.set(after, next);
  const remembered = new Map(answers);
  remembered.delete(asked);
  return {
    turns: new Map(kept.map((turn) => [turn.id, turn])),
    shown: places,
    answers: remembered,
  };
}
