/** The official libraries, told nothing but the address and the token. */
import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import type AnthropicPackage from "@anthropic-ai/sdk";
import type OpenAIPackage from "openai";
import { beforeAll, describe, expect, test } from "vitest";
import { COMMAND, NOTE, QUESTION } from "./agent-model.ts";
import { type AgentScene, type Kind, startAgentScene } from "./servers.ts";
import { CLAUDE, MODEL } from "./settings.ts";

const load = createRequire(import.meta.url);
const ANSWER = `It says: ${NOTE}.`;
const messages = [{ role: "user" as const, content: QUESTION }];
const parameters = {
  type: "object" as const,
  properties: { command: { type: "string" } },
  required: ["command"],
};
const tool = { name: "bash", description: "Runs a command.", parameters };

const scenes = new Map<Kind, AgentScene>();
beforeAll(async () => {
  for (const kind of ["openai", "anthropic"] as const) {
    scenes.set(kind, await startAgentScene(kind));
  }
});

function sceneOf(kind: Kind): AgentScene {
  const scene = scenes.get(kind);
  if (scene === undefined) throw new Error(`no scene with ${kind}`);
  return scene;
}

/** What the calls of this test have in common has not changed since version 4. */
function openai(name: string, kind: Kind, token?: string): OpenAIPackage {
  const { OpenAI } = load(name) as { OpenAI: typeof OpenAIPackage };
  const { server } = sceneOf(kind);
  const baseURL = `${server.origin}/v1`;
  return new OpenAI({ baseURL, apiKey: token ?? server.token, maxRetries: 0 });
}

const versions = ["openai-4", "openai-5", "openai-6", "openai-7"];

describe.each(versions)("%s", (name) => {
  test.each([
    ["openai", MODEL],
    ["anthropic", CLAUDE],
  ] as const)("chats and runs a tool, with a service of the kind %s", async (kind, model) => {
    const { chat } = openai(name, kind);
    const tools = [{ type: "function" as const, function: tool }];
    const asked = await chat.completions.create({ model, messages, tools });
    const { message, finish_reason } = asked.choices[0]!;
    expect(finish_reason).toBe("tool_calls");
    const [call] = message.tool_calls ?? [];
    if (call?.type !== "function") throw new Error("no call of a function");
    expect(JSON.parse(call.function.arguments)).toEqual({ command: COMMAND });
    const result = { role: "tool" as const, tool_call_id: call.id, content: NOTE };
    const told = await chat.completions.create({
      model,
      messages: [...messages, message, result],
      tools,
    });
    expect(told.choices[0]?.message.content).toBe(ANSWER);
    expect(told.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7 });
  });

  test.each([
    ["openai", MODEL],
    ["anthropic", CLAUDE],
  ] as const)(
    "streams a call and its usage, with a service of the kind %s",
    async (kind, model) => {
      const stream = await openai(name, kind).chat.completions.create({
        model,
        messages,
        tools: [{ type: "function", function: tool }],
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = await Array.fromAsync(stream);
      const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
      expect(calls.map(({ function: named }) => named?.name ?? "").join("")).toBe("bash");
      const given = calls.map(({ function: named }) => named?.arguments ?? "").join("");
      expect(JSON.parse(given)).toEqual({ command: COMMAND });
      expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7 });
    },
  );

  test("lists models and gets one", async () => {
    const { models } = openai(name, "openai");
    const listed = await Array.fromAsync(models.list());
    expect(listed.map(({ id }) => id)).toContain("gpt-4o-mini");
    expect(await models.retrieve("gpt-4o-mini")).toMatchObject({ id: "gpt-4o-mini" });
    await expect(models.retrieve("gpt-none")).rejects.toMatchObject({ status: 404 });
  });

  test("responds, whole and streamed", async () => {
    const { responses } = openai(name, "openai");
    const request = { model: MODEL, input: QUESTION };
    const whole = await responses.create(request);
    expect(whole.output_text).toBe("A note");
    const tools = [{ type: "function" as const, strict: false, ...tool }];
    const stream = await responses.create({ ...request, tools, stream: true });
    const events = await Array.fromAsync(stream);
    expect(events.at(-1)).toMatchObject({
      type: "response.completed",
      response: { output: [{ type: "function_call", name: "bash" }] },
    });
  });

  test("says why a token is refused", async () => {
    const { chat } = openai(name, "openai", "parley-wrong");
    const refused = chat.completions.create({ model: MODEL, messages });
    await expect(refused).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
  });
});

/** Its answers are those of axios. */
interface OldClient {
  createChatCompletion(body: object, options?: object): Promise<{ readonly data: unknown }>;
  listModels(): Promise<{ readonly data: { readonly data: readonly { readonly id: string }[] } }>;
  retrieveModel(id: string): Promise<{ readonly data: { readonly id: string } }>;
}

interface OldPackage {
  readonly Configuration: new (options: object) => object;
  readonly OpenAIApi: new (configuration: object) => OldClient;
}

describe("openai-3", () => {
  const client = (): OldClient => {
    const { Configuration, OpenAIApi } = load("openai-3") as OldPackage;
    const { origin, token } = sceneOf("openai").server;
    return new OpenAIApi(new Configuration({ basePath: `${origin}/v1`, apiKey: token }));
  };

  test("chats, whole and streamed", async () => {
    const whole = await client().createChatCompletion({ model: MODEL, messages });
    expect(whole.data).toMatchObject({ choices: [{ message: { content: "A note" } }] });
    const body = { model: MODEL, messages, stream: true };
    const { data } = await client().createChatCompletion(body, { responseType: "stream" });
    const parts = await Array.fromAsync(data as Readable);
    expect(parts.map(String).join("")).toMatch(/"content":"A note"[\s\S]*data: \[DONE\]\n\n$/);
  });

  test("lists models and gets one", async () => {
    const { data } = await client().listModels();
    expect(data.data.map(({ id }) => id)).toContain("gpt-4o-mini");
    expect((await client().retrieveModel("gpt-4o-mini")).data.id).toBe("gpt-4o-mini");
  });
});

describe.each([
  ["openai", MODEL],
  ["anthropic", CLAUDE],
] as const)("@anthropic-ai/sdk, with a service of the kind %s", (kind, model) => {
  const client = (): AnthropicPackage => {
    const { Anthropic } = load("@anthropic-ai/sdk") as { Anthropic: typeof AnthropicPackage };
    const { origin, token } = sceneOf(kind).server;
    return new Anthropic({ baseURL: origin, authToken: token, apiKey: null, maxRetries: 0 });
  };
  const tools = [{ name: "bash", input_schema: parameters }];
  const asked = { model, max_tokens: 100, messages, tools };

  test("runs a tool", async () => {
    const message = await client().messages.create(asked);
    const [use] = message.content;
    if (use?.type !== "tool_use") throw new Error("no use of a tool");
    expect(use.input).toEqual({ command: COMMAND });
    const result = { type: "tool_result" as const, tool_use_id: use.id, content: NOTE };
    const told = await client().messages.create({
      ...asked,
      messages: [
        ...messages,
        { role: "assistant", content: message.content },
        { role: "user", content: [result] },
      ],
    });
    expect(told).toMatchObject({ stop_reason: "end_turn", content: [{ text: ANSWER }] });
  });

  test("streams the use of a tool and its usage", async () => {
    const message = await client().messages.stream(asked).finalMessage();
    expect(message).toMatchObject({
      stop_reason: "tool_use",
      content: [{ type: "tool_use", name: "bash", input: { command: COMMAND } }],
      usage: { input_tokens: 11, output_tokens: 7 },
    });
  });

  test("counts tokens and lists models", async () => {
    const { input_tokens } = await client().messages.countTokens({ model, messages });
    expect(input_tokens).toBeGreaterThan(0);
    const models = await Array.fromAsync(client().models.list());
    expect(models.length).toBeGreaterThan(0);
  });
});
