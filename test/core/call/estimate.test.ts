import { expect, test } from "vitest";
import { estimatedUsage, NOTHING_SEEN, usedBy } from "../../../src/core/call/estimate.ts";
import { createReasoningModels } from "../../../src/core/call/reasoning.ts";

test.each([
  ["the question's usual tokens and what passed, a tenth more", 20, 1_500, 400, false, 11, 451],
  ["the question alone before anything passed", 20, 1_500, 0, false, 11, 11],
  ["at most what was reserved", 20, 100, 5_000, false, 11, 120],
  ["all of it where the model thinks unseen", 20, 1_500, 3, true, 11, 1_520],
  ["only the question where there is no answer", 20, 0, 3, true, 11, 11],
  ["whole tokens", 3, 100, 1, false, 3, 4],
  ["nothing of nothing", 0, 0, 0, false, 0, 0],
])("the estimate is %s", (_, question, answers, passed, isUnseen, promptTokens, totalTokens) => {
  expect(estimatedUsage({ question, answers }, passed, isUnseen)).toEqual({
    promptTokens,
    completionTokens: totalTokens - promptTokens,
    totalTokens,
    cachedTokens: null,
  });
});

const reserved = { question: 20, answers: 1_500 };

test.each([
  ["as it is at the end, whatever it says", "m", { completion: 0, passed: 400, cut: false }, 10],
  ["as far as it counts what passed", "m", { completion: 400, passed: 400, cut: true }, 410],
  [
    "of a script with two characters a token",
    "m",
    { completion: 200, passed: 400, cut: true },
    210,
  ],
  ["not of a beginning", "m", { completion: 1, passed: 400, cut: true }, 451],
  ["not of nothing", "m", { completion: 0, passed: 0, cut: true }, 11],
  ["not without the thoughts", "o3", { completion: 400, passed: 400, cut: true }, 1_520],
  ["with the thoughts", "o3", { completion: 400, passed: 9, cut: true, reasoned: true }, 410],
])("a reported usage counts %s", (_, model, { completion, passed, ...seen }, total) => {
  const totalTokens = 10 + completion;
  const counts = { promptTokens: 10, completionTokens: completion, totalTokens };
  const usage = { ...counts, cachedTokens: null };
  const account = { ...NOTHING_SEEN, usage, answerTokens: passed, ...seen };
  const used = usedBy(model, account, reserved, createReasoningModels());
  expect(used.usage?.totalTokens).toBe(total);
  expect(used.provenance).toBe(total === totalTokens ? "reported" : "estimated");
});
