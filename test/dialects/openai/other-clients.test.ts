/** Clients that build on the API rather than on the official package: LangChain and the AI SDK. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { embed, generateText, streamText } from "ai";
import { describe, expect, test } from "vitest";
import { EMBEDDER, MODEL, startTokenScene, type TokenScene } from "./support.ts";

const text = "Grüße – 你好 👋🏽";
const usage = { prompt: text.length, completion: `echo: ${text}`.length };

describe.concurrent("LangChain", () => {
  const modelOf = (scene: TokenScene, apiKey = scene.token) =>
    new ChatOpenAI({
      model: MODEL,
      apiKey,
      maxRetries: 0,
      configuration: { baseURL: `${scene.parley.origin}/v1` },
    });

  test("asks, streams and counts", async () => {
    const scene = await startTokenScene();
    const model = modelOf(scene);
    const said = await model.invoke([new HumanMessage(text)]);
    expect(said.text).toBe(`echo: ${text}`);
    expect(said.usage_metadata).toMatchObject({ input_tokens: usage.prompt });
    const parts = await Array.fromAsync(await model.stream(text));
    expect(parts.map((part) => part.text).join("")).toBe(`echo: ${text}`);
    expect(parts.length).toBeGreaterThan(3);
    expect(scene.rows()).toMatchObject([
      { outcome: "completed", completion_tokens: usage.completion },
      { outcome: "completed", completion_tokens: usage.completion },
    ]);
  });

  test("embeds", async () => {
    const scene = await startTokenScene();
    const embeddings = new OpenAIEmbeddings({
      model: EMBEDDER,
      apiKey: scene.token,
      configuration: { baseURL: `${scene.parley.origin}/v1` },
    });
    expect(await embeddings.embedQuery("1234")).toHaveLength(8);
  });

  test("knows a wrong token when it is told", async () => {
    const scene = await startTokenScene();
    await expect(modelOf(scene, "parley-wrong").invoke(text)).rejects.toMatchObject({
      status: 401,
    });
  });
});

describe.concurrent("the AI SDK", () => {
  const providerOf = (scene: TokenScene, apiKey = scene.token) =>
    createOpenAICompatible({
      name: "parley",
      apiKey,
      baseURL: `${scene.parley.origin}/v1`,
      includeUsage: true,
    });

  test("asks, streams and counts", async () => {
    const scene = await startTokenScene();
    const model = providerOf(scene)(MODEL);
    const said = await generateText({ model, prompt: text, maxRetries: 0 });
    expect(said.text).toBe(`echo: ${text}`);
    expect(said.usage).toMatchObject({ inputTokens: usage.prompt });
    const stream = streamText({ model, prompt: text, maxRetries: 0 });
    expect((await Array.fromAsync(stream.textStream)).join("")).toBe(`echo: ${text}`);
    expect(await stream.usage).toMatchObject({ outputTokens: usage.completion });
    expect(await stream.finishReason).toBe("stop");
  });

  test("embeds", async () => {
    const scene = await startTokenScene();
    const model = providerOf(scene).embeddingModel(EMBEDDER);
    expect((await embed({ model, value: "1234", maxRetries: 0 })).embedding).toHaveLength(8);
  });

  test("knows a wrong token when it is told", async () => {
    const scene = await startTokenScene();
    const model = providerOf(scene, "parley-wrong")(MODEL);
    const asked = generateText({ model, prompt: text, maxRetries: 0 });
    await expect(asked).rejects.toMatchObject({ statusCode: 401 });
  });
});
