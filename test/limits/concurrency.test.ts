import { expect, test } from "vitest";
import { createConcurrencyLimiter } from "../../src/limits/concurrency.ts";

test("as many answers are open at once as the limit allows, in each bucket", () => {
  const answers = createConcurrencyLimiter(2);
  expect(answers.enter("a")).not.toBeNull();
  expect(answers.enter("a")).not.toBeNull();
  expect(answers.enter("a")).toBeNull();
  expect(answers.enter("b")).not.toBeNull();
  expect(answers.count("a")).toBe(2);
});

test("a place given back is free again", () => {
  const answers = createConcurrencyLimiter(1);
  answers.enter("a")?.();
  expect(answers.count("a")).toBe(0);
  expect(answers.enter("a")).not.toBeNull();
});

test("a place given back twice is given back once", () => {
  const answers = createConcurrencyLimiter(2);
  const leave = answers.enter("a");
  answers.enter("a");
  leave?.();
  leave?.();
  expect(answers.count("a")).toBe(1);
});

test("a late second leave does not end the answer that took the place", () => {
  const answers = createConcurrencyLimiter(1);
  const leave = answers.enter("a");
  leave?.();
  answers.enter("a");
  leave?.();
  expect(answers.enter("a")).toBeNull();
});

test("without a limit answers are counted and never refused", () => {
  const answers = createConcurrencyLimiter(0);
  for (let index = 0; index < 1_000; index += 1) expect(answers.enter("a")).not.toBeNull();
  expect(answers.count("a")).toBe(1_000);
});

test("a refused answer leaves nothing to give back", () => {
  const answers = createConcurrencyLimiter(1);
  const leave = answers.enter("a");
  answers.enter("a");
  leave?.();
  expect(answers.count("a")).toBe(0);
});
