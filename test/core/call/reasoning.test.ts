import { expect, test } from "vitest";
import { createReasoningModels } from "../../../src/core/call/reasoning.ts";

test.each([
  ...[
    "o1",
    "o3-mini",
    "o4-mini-2025-04-16",
    "openai/o3",
    "ft:o4-mini:acme",
    "gpt-5",
    "GPT-5.1-nano",
  ],
  ...[
    "gpt-oss:20b",
    "deepseek-reasoner",
    "deepseek-r1-distill-llama-70b",
    "deepseek-ai/DeepSeek-R1",
  ],
  ...["qwq-32b", "qwen3-235b-a22b-thinking-2507", "grok-4-fast-reasoning", "phi-4-reasoning"],
])("%s is known to think before it answers", (model) => {
  expect(createReasoningModels().has(model)).toBe(true);
});

test.each([
  ...["gpt-4o-mini", "gpt-4.1", "gpt-3.5-turbo-instruct", "text-embedding-3-small", "llama3:8b"],
  ...["deepseek-chat", "grok-4-fast-non-reasoning", "omni-moderation-latest", "olmo-2"],
])("%s is not", (model) => {
  expect(createReasoningModels().has(model)).toBe(false);
});

test("a model that has reported it is known from then on, up to a bound", () => {
  const models = createReasoningModels();
  models.learn("llama3:8b");
  expect(models.has("llama3:8b")).toBe(true);
  for (let count = 0; count < 1_000; count += 1) models.learn(`model-${count}`);
  expect([models.has("llama3:8b"), models.has("model-999")]).toEqual([false, true]);
});
