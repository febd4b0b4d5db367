import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { startServices } from "../../scripts/demo/upstream/services.ts";
import { closeAfterFile } from "../support/cleanup.ts";

const services = closeAfterFile(await startServices());
const openai = new OpenAI({ baseURL: services.openAiUrl, apiKey: "demo", maxRetries: 0 });
const anthropic = new Anthropic({
  baseURL: services.anthropicUrl.replace(/\/v1$/, ""),
  apiKey: "demo",
  maxRetries: 0,
});
const messages = [{ role: "user" as const, content: "Why is the sky blue?" }];
const model = "gpt-5.4-mini";
const BEGIN = /^Air scatters blue light/;

test("a chat is answered whole, with its usage", async () => {
  const { choices, usage } = await openai.chat.completions.create({ model, messages });
  expect(choices[0]?.message.content).toMatch(BEGIN);
  expect(choices[0]?.finish_reason).toBe("stop");
  const { prompt_tokens = 0, completion_tokens = 0, total_tokens } = usage ?? {};
  expect(completion_tokens).toBeGreaterThan(20);
  expect(total_tokens).toBe(prompt_tokens + completion_tokens);
});

test("a streamed chat ends after max_tokens, and says so", async () => {
  const stream = await openai.chat.completions.create({
    ...{ model, messages, max_completion_tokens: 7 },
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await Array.fromAsync(stream);
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
  expect(text).toMatch(BEGIN);
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("length");
  expect(chunks.at(-1)?.usage?.completion_tokens).toBe(7);
});

test("the Responses API answers whole and streamed", async () => {
  const whole = await openai.responses.create({ model, input: "Why is the sky blue?" });
  expect(whole.output_text).toMatch(BEGIN);
  const stream = openai.responses.stream({ model, input: messages, max_output_tokens: 7 });
  const { output_text, status } = await stream.finalResponse();
  expect(output_text).toMatch(BEGIN);
  expect(status).toBe("incomplete");
});

test("embeddings are unit vectors, the same for the same text", async () => {
  const { data } = await openai.embeddings.create({
    model: "text-embedding-3-small",
    input: ["sky", "soup", "sky"],
  });
  const [sky = [], soup = [], again] = data.map(({ embedding }) => embedding);
  expect(sky).toHaveLength(1_536);
  expect(Math.hypot(...sky)).toBeCloseTo(1);
  expect(again).toEqual(sky);
  expect(soup).not.toEqual(sky);
});

test("models are listed, and another one is refused", async () => {
  const listed = await Array.fromAsync(openai.models.list(), ({ id }) => id);
  expect(listed).toContain(model);
  await expect(openai.chat.completions.create({ model: "gpt-99", messages })).rejects.toMatchObject(
    { status: 404, code: "model_not_found" },
  );
});

test("a service of Anthropic's kind answers whole and streamed", async () => {
  const asked = { model: "claude-sonnet-5-5", messages, max_tokens: 800 };
  const whole = await anthropic.messages.create(asked);
  const stream = anthropic.messages.stream({ ...asked, max_tokens: 7 });
  const [block] = whole.content;
  expect(block?.type === "text" && block.text).toMatch(BEGIN);
  expect(whole.stop_reason).toBe("end_turn");
  const cut = await stream.finalMessage();
  expect(cut.stop_reason).toBe("max_tokens");
  expect(cut.usage.output_tokens).toBe(7);
});

test("the service that is down refuses every call", async () => {
  const response = await fetch(`${services.brokenUrl}/chat/completions`, { method: "POST" });
  expect(response.status).toBe(503);
});
