import { expect, test } from "vitest";
import { estimatedUsage } from "../../../src/core/call/estimate.ts";

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
