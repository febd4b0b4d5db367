/** The official package, with nothing changed but its address and its key. */
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import type { Behaviour, ScriptedUpstream } from "../../support/upstream.ts";
import {
  bearer,
  createClient,
  EMBEDDER,
  INSTRUCT,
  MODEL,
  startAlone,
  startTokenScene,
  type TokenScene,
  tell,
} from "./support.ts";

interface Pair {
  readonly scene: TokenScene;
  /** Answers as the scene's own upstream does, and is asked without Parley between. */
  readonly alone: ScriptedUpstream;
  readonly through: OpenAI;
  readonly direct: OpenAI;
}

async function startPair(behaviour?: Behaviour): Promise<Pair> {
  const options = behaviour === undefined ? {} : { behaviour };
  const scene = await startTokenScene({}, options);
  const alone = await startAlone(options);
  const direct = createClient(alone.url, "sk-direct");
  return { scene, alone, through: scene.client(), direct };
}

const text = 'Grüße – 你好 👋🏽 \u2028 "quoted" \\ back';
const turns = [{ role: "user" as const, content: text }];

const whole: readonly (readonly [string, (client: OpenAI) => Promise<unknown>])[] = [
  ["a chat", (client) => client.chat.completions.create({ model: MODEL, messages: turns })],
  ["a completion", (client) => client.completions.create({ model: INSTRUCT, prompt: text })],
  ["a response", (client) => client.responses.create({ model: MODEL, input: text })],
  ["an embedding", (client) => client.embeddings.create({ model: EMBEDDER, input: text })],
  [
    "an embedding as floats",
    (client) =>
      client.embeddings.create({ model: EMBEDDER, input: [text, "b"], encoding_format: "float" }),
  ],
  [
    "an embedding as base64",
    (client) =>
      client.embeddings.create({ model: EMBEDDER, input: text, encoding_format: "base64" }),
  ],
  ["a moderation", (client) => client.moderations.create({ model: MODEL, input: "violence" })],
];

const streams: readonly (readonly [string, (client: OpenAI) => Promise<unknown>])[] = [
  [
    "a chat",
    async (client) =>
      Array.fromAsync(
        await client.chat.completions.create({ model: MODEL, messages: turns, stream: true }),
      ),
  ],
  [
    "a chat with usage",
    async (client) =>
      Array.fromAsync(
        await client.chat.completions.create({
          model: MODEL,
          messages: turns,
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
  ],
  [
    "a completion",
    async (client) =>
      Array.fromAsync(
        await client.completions.create({ model: INSTRUCT, prompt: text, stream: true }),
      ),
  ],
  [
    "a response",
    async (client) =>
      Array.fromAsync(await client.responses.create({ model: MODEL, input: text, stream: true })),
  ],
];

describe.concurrent("the official client reads through Parley what it reads without", () => {
  test.each(whole)("%s", async (_name, ask) => {
    const { through, direct } = await startPair();
    expect(await ask(through)).toEqual(await ask(direct));
  });

  test.each(streams)("%s as a stream", async (_name, ask) => {
    const { through, direct } = await startPair();
    const events = await ask(through);
    expect(events).toEqual(await ask(direct));
    expect(events).not.toEqual([]);
  });

  test("the usage of a stream when it asked for it, and else none", async () => {
    const { through } = await startPair();
    const ask = async (options: object): Promise<unknown[]> => {
      const stream = await through.chat.completions.create({
        model: MODEL,
        messages: turns,
        stream: true,
        ...options,
      });
      return (await Array.fromAsync(stream)).filter((chunk) => "usage" in chunk);
    };
    const asked = await ask({ stream_options: { include_usage: true } });
    expect(asked.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: text.length } });
    expect(await ask({})).toEqual([]);
    expect(await ask({ stream_options: { include_usage: false } })).toEqual([]);
  });

  test("the models a token may use, and with an own key all of them", async () => {
    const { scene, direct } = await startPair();
    const idsOf = async (client: OpenAI) =>
      (await Array.fromAsync(client.models.list())).map(({ id }) => id);
    const { token } = await scene.issue({ models: [MODEL, "gpt-4o"] });
    // gpt-4o has no price
    expect(await idsOf(scene.client(token))).toEqual([MODEL]);
    expect(await idsOf(scene.client())).toEqual([MODEL, INSTRUCT, EMBEDDER]);
    expect(await idsOf(scene.client("sk-own"))).toEqual(await idsOf(direct));
    expect(scene.rows()).toEqual([]);
  });
});

const base = { id: "chatcmpl-9007199254740993", created: 1_700_000_000, model: MODEL };
const call = { name: "weather", arguments: '{"city":"Zürich 🏔"}' };
const logprobs = {
  content: [{ token: "Hé", logprob: -0.000123, bytes: [72, 195, 169], top_logprobs: [] }],
  refusal: null,
};
const rich = {
  ...base,
  object: "chat.completion",
  service_tier: "default",
  field_of_tomorrow: { nested: [1, { deep: null }] },
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: null,
        refusal: null,
        annotations: [],
        tool_calls: [{ id: "call_1", type: "function", function: call }],
      },
      logprobs,
      finish_reason: "tool_calls",
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
};
const part = (delta: object, finish_reason: string | null) => ({
  ...base,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, logprobs, finish_reason }],
});
const toolEvents = [
  part({ role: "assistant", tool_calls: [{ index: 0, id: "call_1", function: call }] }, null),
  part({ tool_calls: [{ index: 0, function: { arguments: "}" } }] }, null),
  part({}, "tool_calls"),
];

const request = {
  model: MODEL,
  messages: [
    { role: "developer", content: "terse" },
    {
      role: "user",
      name: "zoë",
      content: [
        { type: "text", text },
        {
          type: "image_url",
          image_url: { url: "data:image/png;base64,iVBORw0KGgo=", detail: "low" },
        },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c", type: "function", function: call }],
    },
    { role: "tool", tool_call_id: "c", content: "sunny" },
  ],
  tools: [{ type: "function", function: { name: "weather", strict: true, parameters: {} } }],
  tool_choice: { type: "function", function: { name: "weather" } },
  parallel_tool_calls: false,
  response_format: {
    type: "json_schema",
    json_schema: { name: "s", strict: true, schema: { type: "object", $defs: {} } },
  },
  logprobs: true,
  top_logprobs: 2,
  logit_bias: { 50256: -100 },
  metadata: { order: "12345678901234567890" },
  temperature: 0.1,
  service_tier: "flex",
  store: true,
  prompt_cache_key: "k",
  reasoning_effort: "low",
  user: "u-1",
  field_of_tomorrow: { nested: [null, [], {}, 1e-7, -0.5] },
  "": "empty name",
};

describe.concurrent("what neither of us knows passes", () => {
  test("tools, structured output, logprobs and unknown fields, there and back", async () => {
    const { scene, alone, through, direct } = await startPair(tell(rich, toolEvents));
    const ask = (client: OpenAI) => client.post("/chat/completions", { body: request });
    expect(await ask(through)).toEqual(await ask(direct));
    expect(scene.upstream.requests[0]?.json).toEqual(request);
    expect(scene.upstream.requests[0]?.bodyText).toBe(alone.requests[0]?.bodyText);
  });

  test("the pieces of a tool call in a stream; all that is added is the wish for usage", async () => {
    const { scene, through, direct } = await startPair(tell(rich, toolEvents));
    const body = { ...request, stream: true, stream_options: { include_obfuscation: false } };
    const ask = async (client: OpenAI) =>
      Array.fromAsync(
        await client.chat.completions.create(
          body as unknown as OpenAI.ChatCompletionCreateParamsStreaming,
        ),
      );
    expect(await ask(through)).toEqual(await ask(direct));
    expect(scene.upstream.requests[0]?.json).toEqual({
      ...body,
      stream_options: { include_obfuscation: false, include_usage: true },
    });
  });

  test("numbers that are larger than JavaScript counts", async () => {
    const { scene } = await startPair();
    const big = "12345678901234567890";
    const body = `{"model":"${MODEL}","messages":[{"role":"user","content":"${big}"}],"seed":${big},"metadata":{"ids":[-${big},1e400]}}`;
    const url = scene.chat;
    expect((await postJson(url, body, { headers: bearer(scene.token) })).status).toBe(200);
    expect(scene.upstream.requests[0]?.bodyText).toBe(body);
    const streamed = body.replace("{", '{"stream":true,');
    expect((await postJson(url, streamed, { headers: bearer(scene.token) })).status).toBe(200);
    expect(scene.upstream.requests[1]?.bodyText).toContain(
      `"seed":${big},"metadata":{"ids":[-${big},1e400]}`,
    );
  });

  test("a name that JavaScript has a use for", async () => {
    const { scene } = await startPair();
    const body = `{"model":"${MODEL}","messages":[],"__proto__":{"stream":true},"constructor":1}`;
    expect((await postJson(scene.chat, body, { headers: bearer(scene.token) })).status).toBe(200);
    expect(scene.upstream.requests[0]?.bodyText).toBe(body);
  });
});
