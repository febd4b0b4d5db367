/** The branches of a conversation on the page. */
import { expect, test } from "vitest";
import {
  changed,
  emptyTree,
  pathOf,
  pathTo,
  START,
  showing,
  type Tree,
  type Turn,
  versionsOf,
  withTurn,
} from "../../../pages/visitor/tree.ts";

function turn(id: number, after: number, more: Partial<Turn> = {}): Turn {
  const rest = { state: "done", reason: "", status: 200, waitUntil: 0 } as const;
  const words = { question: `q${id}`, goesOn: false, answer: `a${id}` };
  return { id, after, asked: id, ...words, ...rest, ...more };
}

const grown = (...turns: readonly Turn[]) => turns.reduce<Tree>(withTurn, emptyTree);
const ids = (turns: readonly Turn[]) => turns.map(({ id }) => id);

test("the newest version of a question is shown, with nothing after it", () => {
  const tree = grown(turn(1, START), turn(2, 1), turn(3, 2), turn(4, START));
  expect(ids(pathOf(tree))).toEqual([4]);
  expect(versionsOf(tree).get(4)).toEqual({ questions: [1, 4], answers: [4] });
  expect(ids(pathOf(showing(tree, 1)))).toEqual([1, 2, 3]);
});

test("answers to one question are versions of their own, each with what follows it", () => {
  const tree = grown(turn(1, START), turn(2, 1), turn(3, START, { asked: 1 }), turn(4, 3));
  expect(ids(pathOf(tree))).toEqual([3, 4]);
  expect(versionsOf(tree).get(3)).toEqual({ questions: [1], answers: [1, 3] });
  expect(ids(pathOf(showing(tree, 1)))).toEqual([1, 2]);
  expect(ids(pathTo(tree, 4))).toEqual([3, 4]);
});

test("a change of a turn that is gone is nothing", () => {
  expect(changed(grown(turn(1, START)), 2, { answer: "x" }).turns.size).toBe(1);
});

test("what is not shown goes first when there is too much, then what is oldest", () => {
  let tree = grown(turn(1, START), turn(2, 1), turn(3, START));
  for (let id = 4; id <= 1_000; id += 1) tree = withTurn(tree, turn(id, id - 1));
  expect(tree.turns.size).toBe(1_000);
  tree = withTurn(tree, turn(1_001, 1_000));
  expect([tree.turns.size, tree.turns.has(2), tree.turns.has(1)]).toEqual([1_000, false, true]);
  tree = withTurn(tree, turn(1_002, 1_001));
  expect([tree.turns.has(1), tree.turns.has(3)]).toEqual([false, true]);
  tree = withTurn(tree, turn(1_003, 1_002));
  expect([tree.turns.has(3), ids(pathOf(tree)).length, ids(pathOf(tree))[0]]).toEqual([
    false,
    1_000,
    4,
  ]);
});

test("long answers are bounded, too, and the newest is kept", () => {
  const answer = "x".repeat(9 * 2 ** 20);
  const tree = grown(turn(1, START, { answer }), turn(2, 1, { answer }), turn(3, 2));
  expect(ids(pathOf(tree))).toEqual([2, 3]);
});
