/** Code that is made to be slow can't hold the page up. */
import { expect, test } from "vitest";
import { createPatience } from "../../../pages/visitor/patience.ts";

function attempts(tookMs: number, times: number): readonly (string | null)[] {
  let nowMs = 0;
  const attempt = createPatience(() => nowMs);
  const work = () => {
    nowMs += tookMs;
    return "done";
  };
  return Array.from({ length: times }, () => attempt(work));
}

test("what is slow is done until half a second has gone into it", () => {
  const done = attempts(100, 20);
  expect(done.slice(0, 6)).toEqual(Array(6).fill("done"));
  expect(done.slice(6)).toEqual(Array(14).fill(null));
});

test("what is quick is always done, however much there is", () => {
  expect(new Set(attempts(30, 1_000))).toEqual(new Set(["done"]));
});
