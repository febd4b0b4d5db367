import { describe, expect, it } from "vitest";
import { paidUsage } from "../../../src/core/call/messages.ts";
import { StreamAccount } from "../../../src/upstream/reading/stream-account.ts";
import { toUsage, usageIn } from "../../../src/upstream/reading/usage.ts";

const counts = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const read = { promptTokens: 5, completionTokens: 3, totalTokens: 8 };

describe("usage is found", () => {
  it.each<[string, object]>([
    ["at the top", { usage: counts }],
    ["as input and output", { usage: { input_tokens: 5, output_tokens: 3 } }],
    ["in the response of an event", { type: "response.completed", response: { usage: counts } }],
    ["in a choice", { choices: [{ index: 0 }, { usage: counts }] }],
    ["at the top, although a choice has none", { usage: counts, choices: [{ usage: null }] }],
    ["in x_groq", { x_groq: { id: "req", usage: counts } }],
    ["in usage_metadata", { usage_metadata: { prompt_token_count: 5, candidates_token_count: 3 } }],
    [
      "in usageMetadata",
      { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3, totalTokenCount: 8 } },
    ],
    ["in timings", { timings: { prompt_n: 5, predicted_n: 3, predicted_ms: 10.5 } }],
    [
      "in timings, part of it from a cache",
      { timings: { cache_n: 4, prompt_n: 1, predicted_n: 3 } },
    ],
    ["in camel case", { usage: { inputTokens: 5, outputTokens: 3, totalTokens: 8 } }],
    ["in camel case as OpenAI names it", { usage: { promptTokens: 5, completionTokens: 3 } }],
    ["as counts of tokens", { usage: { input_token_count: 5, generated_token_count: 3 } }],
    ["in token_usage", { token_usage: counts }],
    ["in tokenUsage", { tokenUsage: { promptTokens: 5, completionTokens: 3 } }],
    [
      "in the metrics of Bedrock",
      { "amazon-bedrock-invocationMetrics": { inputTokenCount: 5, outputTokenCount: 3 } },
    ],
    ["in the message of a choice", { choices: [{ message: { usage: counts } }] }],
    ["in the delta of a choice", { choices: [{ delta: { usage: counts } }] }],
    ["as Ollama's counts", { done: true, prompt_eval_count: 5, eval_count: 3 }],
    ["in meta.tokens", { meta: { tokens: { input_tokens: 5, output_tokens: 3 } } }],
    ["in billed_units", { meta: { billed_units: { input_tokens: 5, output_tokens: 3 } } }],
    ["in the message of an event", { message: { usage: { input_tokens: 5, output_tokens: 3 } } }],
    [
      "beside the tokens of a cache",
      {
        usage: {
          input_tokens: 1,
          cache_read_input_tokens: 3,
          cache_creation_input_tokens: 1,
          output_tokens: 3,
        },
      },
    ],
  ])("%s", (_, answer) => {
    expect(usageIn(answer).usage).toMatchObject(read);
  });

  it.each<[string, object, object]>([
    [
      "Anthropic",
      { message: { usage: { input_tokens: 5, output_tokens: 1 } } },
      { output_tokens: 3 },
    ],
    ["a question first", { usage: { prompt_tokens: 5 } }, { completion_tokens: 3 }],
    ["all of it twice", { usage: { prompt_tokens: 9 } }, counts],
  ])("in two events of %s", (_, begin, usage) => {
    const before = usageIn(begin).usage;
    expect(usageIn({ type: "message_delta", usage }, before).usage).toMatchObject(read);
    const account = new StreamAccount();
    for (const event of [begin, { usage }, {}]) account.learn(event);
    expect(account.known.usage).toMatchObject(read);
  });

  it.each([
    ["metadata", { metadata: { usage: counts } }],
    ["a text", { text: JSON.stringify({ usage: counts }) }],
    ["a tool", { tools: [{ usage: counts }] }],
    ["a list", { usage: [counts] }],
  ])("not in %s", (_, answer) => {
    expect(usageIn(answer).usage).toBeNull();
  });
});

it.each<[string, object, number | null]>([
  ["OpenAI", { ...counts, prompt_tokens_details: { cached_tokens: 2 } }, 2],
  ["DeepSeek", { ...counts, prompt_cache_hit_tokens: 2, prompt_cache_miss_tokens: 3 }, 2],
  ["Moonshot", { ...counts, cached_tokens: 2 }, 2],
  ["Anthropic", { input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 3 }, 2],
  ["llama.cpp", { cache_n: 2, prompt_n: 3, predicted_n: 3 }, 2],
  ["a service without a cache", counts, null],
])("cached tokens are read as %s names them", (_, usage, cachedTokens) => {
  expect(toUsage(usage)).toEqual({ ...read, cachedTokens });
});

it.each<[string, object, object]>([
  [
    "what the total counts beside the answer",
    {
      prompt_tokens: 32,
      completion_tokens: 9,
      total_tokens: 135,
      completion_tokens_details: { reasoning_tokens: 94 },
    },
    { promptTokens: 32, completionTokens: 103, totalTokens: 135 },
  ],
  [
    "reasoning that is larger than the answer, without a total",
    {
      prompt_tokens: 32,
      completion_tokens: 9,
      completion_tokens_details: { reasoning_tokens: 94 },
    },
    { promptTokens: 32, completionTokens: 103, totalTokens: 135 },
  ],
  ["the answer alone, where the total is less", { ...counts, total_tokens: 0 }, read],
  ["a total alone as the prompt", { total_tokens: 9 }, { promptTokens: 9, completionTokens: 0 }],
])("paid is %s", (_, usage, expected) => {
  expect(paidUsage(toUsage(usage))).toMatchObject(expected);
});

it("tells that a model has reasoned", () => {
  const reasoned = { ...counts, output_tokens_details: { reasoning_tokens: 2 } };
  expect(usageIn({ usage: reasoned }).reasoned).toBe(true);
  expect(usageIn({ usage: counts }).reasoned).toBe(false);
});

const NO_PARTS = {
  cacheWrite: 0,
  cacheWriteHour: 0,
  audioInput: 0,
  audioOutput: 0,
  reasoning: 0,
};

it.each<[string, object, object]>([
  [
    "OpenAI's audio",
    {
      ...counts,
      prompt_tokens_details: { audio_tokens: 2, cached_tokens: 0 },
      completion_tokens_details: { audio_tokens: 1, reasoning_tokens: 0 },
    },
    { audioInput: 2, audioOutput: 1 },
  ],
  [
    "OpenAI's cache",
    { ...counts, prompt_tokens_details: { cache_write_tokens: 4 } },
    { cacheWrite: 4 },
  ],
  [
    "OpenAI's responses",
    { input_tokens: 5, input_tokens_details: { cache_write_tokens: 4 }, output_tokens: 3 },
    { cacheWrite: 4 },
  ],
  [
    "Anthropic's cache",
    { input_tokens: 1, cache_creation_input_tokens: 4, output_tokens: 3 },
    { cacheWrite: 4 },
  ],
  [
    "Anthropic's cache of an hour",
    {
      input_tokens: 1,
      cache_creation_input_tokens: 4,
      cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 3 },
      output_tokens: 3,
    },
    { cacheWrite: 1, cacheWriteHour: 3 },
  ],
  [
    "reasoning",
    { ...counts, completion_tokens_details: { reasoning_tokens: 2 } },
    { reasoning: 2 },
  ],
])("parts with a price of their own are read: %s", (_, usage, parts) => {
  expect(toUsage(usage)).toMatchObject({ ...read, parts: { ...NO_PARTS, ...parts } });
});

it.each([
  { prompt_tokens_details: { audio_tokens: 0, cached_tokens: 2 } },
  { prompt_tokens_details: { audio_tokens: -1, cache_write_tokens: "4" } },
  { prompt_tokens_details: { audio_tokens: 1e300 }, completion_tokens_details: null },
  { cache_creation: { ephemeral_1h_input_tokens: 3 } },
])("there are no parts in %j", (details) => {
  expect(toUsage({ ...counts, ...details })).not.toHaveProperty("parts");
});

it("parts of the question stay when the answer's counts come alone", () => {
  const account = new StreamAccount();
  account.learn({
    type: "message_start",
    message: { usage: { input_tokens: 1, cache_creation_input_tokens: 4, output_tokens: 1 } },
  });
  account.learn({ type: "message_delta", usage: { output_tokens: 3 } });
  expect(account.known.usage).toMatchObject({ ...read, parts: { cacheWrite: 4 } });
});

it.each<[string, object, string | undefined]>([
  ["beside the usage", { usage: counts, service_tier: "flex" }, "flex"],
  ["in an event", { response: { usage: counts, service_tier: "priority" } }, "priority"],
  ["in the usage", { usage: { ...counts, service_tier: "priority" } }, "priority"],
  ["nowhere", { usage: counts }, undefined],
  ["as the ordinary one", { usage: counts, service_tier: "default" }, undefined],
  ["as what it can't be", { usage: counts, service_tier: ["flex"] }, undefined],
])("the tier is read %s", (_, answer, tier) => {
  expect(usageIn(answer).usage).toEqual({ ...read, cachedTokens: null, ...(tier && { tier }) });
});

it.each<[string, object]>([
  ["the answer's counts come alone", { output_tokens: 7 }],
  [
    "the last event counts all again, but for the time in the cache",
    {
      input_tokens: 1,
      cache_creation_input_tokens: 5,
      cache_read_input_tokens: 2,
      output_tokens: 7,
    },
  ],
])("a cache that is kept for an hour is told once: %s", (_, used) => {
  const account = new StreamAccount();
  const first = {
    input_tokens: 1,
    cache_creation_input_tokens: 5,
    cache_read_input_tokens: 2,
    cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 3 },
    output_tokens: 1,
  };
  const usage = { ...used, output_tokens_details: { thinking_tokens: 4 } };
  account.learn({ type: "message_start", message: { id: "msg_1", model: "m", usage: first } });
  account.learn({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage });
  expect(account.known).toMatchObject({
    model: "m",
    upstreamId: "msg_1",
    reasoned: true,
    usage: {
      promptTokens: 8,
      cachedTokens: 2,
      completionTokens: 7,
      parts: { cacheWrite: 2, cacheWriteHour: 3, reasoning: 4 },
    },
  });
});

it("a count of nothing in Anthropic's form is still to come", () => {
  const none = { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 };
  expect(toUsage(none)).toBeNull();
  expect(toUsage({ ...none, cache_read_input_tokens: 1 })).toMatchObject({ promptTokens: 1 });
});
