/** Dialects that speak OpenAI's language, over a service of Anthropic's kind. */
import OpenAI from "openai";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { anthropicAnswer, createAnthropicAnswer } from "../../support/anthropic.ts";
import { refuse } from "../../support/faults.ts";
import { startGrpc } from "../../support/grpc.ts";
import { openStream, postJson } from "../../support/http.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { connect, readText } from "../../support/websocket.ts";
import { bearer, setPrice, type TokenScene } from "../openai/support.ts";
import { others } from "../routes.ts";
import { CLAUDE, startNative } from "./support.ts";

const WAIT_MS = 5_000;
const PIXEL = "data:image/png;base64,iVBORw0KGgo=";
const turns = [{ role: "user" as const, content: "hello" }];
const tools = [
  {
    type: "function" as const,
    function: { name: "find", parameters: { type: "object", properties: {} } },
  },
];

let scene: TokenScene;
let client: OpenAI;
beforeAll(async () => {
  scene = await startNative({ MODEL: CLAUDE });
  await setPrice(scene.parley.origin, CLAUDE);
  client = scene.client();
});
beforeEach(() => scene.upstream.behave(anthropicAnswer));

const sent = () => scene.upstream.requests.at(-1);

describe("the official client of OpenAI's API", () => {
  test("gets a whole answer, and the service a bound", async () => {
    const answer = await client.chat.completions.create({ model: CLAUDE, messages: turns });
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: CLAUDE,
      choices: [
        { index: 0, message: { role: "assistant", content: "echo: hello" }, finish_reason: "stop" },
      ],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    });
    expect(answer.created).toBeGreaterThan(1_700_000_000);
    expect(sent()).toMatchObject({
      path: "/v1/messages",
      json: { model: CLAUDE, max_tokens: 3_500, messages: turns },
    });
    expect(sent()?.headers).not.toHaveProperty("authorization");
  });

  test("gets a stream with calls of tools, and its usage where it asks for it", async () => {
    const request = { model: CLAUDE, messages: turns, tools, stream: true as const };
    const plain = await Array.fromAsync(await client.chat.completions.create(request));
    expect(JSON.stringify(plain)).not.toContain("usage");
    const counted = await Array.fromAsync(
      await client.chat.completions.create({ ...request, stream_options: { include_usage: true } }),
    );
    expect(counted.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 18 } });
    const deltas = plain.flatMap(({ choices }) => choices.map(({ delta }) => delta));
    const calls = deltas.flatMap((delta) => delta.tool_calls ?? []);
    expect(deltas.map(({ content }) => content ?? "").join("")).toBe("echo: hello");
    expect(calls[0]).toMatchObject({ index: 0, id: expect.stringMatching(/^toolu_/) });
    expect(calls.map((call) => call.function?.arguments).join("")).toBe('{"q":"hello"}');
    expect(plain.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
    expect(scene.rows().at(-1)).toMatchObject({
      dialect: "openai",
      total_tokens: 18,
      provenance: "reported",
      outcome: "completed",
    });
  });

  test("goes on after a tool, with ids as they were", async () => {
    const asked = await client.chat.completions.create({ model: CLAUDE, messages: turns, tools });
    const message = asked.choices[0]?.message;
    const [call] = message?.tool_calls ?? [];
    if (message === undefined || call === undefined) throw new Error("no call");
    const result = { role: "tool" as const, tool_call_id: call.id, content: "a cat" };
    const messages = [...turns, message, result];
    const answer = await client.chat.completions.create({ model: CLAUDE, messages });
    expect(answer.choices[0]?.message.content).toBe("echo: a cat");
    expect(sent()?.json).toMatchObject({
      messages: [
        ...turns,
        {
          role: "assistant",
          content: [
            { type: "text", text: "echo: hello" },
            { type: "tool_use", id: call.id, name: "find", input: { q: "hello" } },
          ],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: call.id, content: "a cat" }],
        },
      ],
    });
  });

  test("sends pictures", async () => {
    const content = [
      { type: "text" as const, text: "What is it?" },
      { type: "image_url" as const, image_url: { url: PIXEL } },
    ];
    await client.chat.completions.create({ model: CLAUDE, messages: [{ role: "user", content }] });
    const source = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
    expect(sent()?.json).toMatchObject({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is it?" },
            { type: "image", source },
          ],
        },
      ],
    });
  });

  test("is told what was left out, and refused what would change the answer", async () => {
    const asked = { model: CLAUDE, messages: turns };
    const { response } = await client.chat.completions
      .create({ ...asked, seed: 7, logprobs: true })
      .withResponse();
    expect(response.headers.get("x-parley-dropped")).toBe("seed, logprobs");
    await expect(client.chat.completions.create({ ...asked, n: 2 })).rejects.toMatchObject({
      status: 400,
      code: "field_unsupported",
      param: "n",
    });
  });

  test("gets the service's refusals in OpenAI's form", async () => {
    const badKey = new OpenAI({
      baseURL: `${scene.parley.origin}/v1`,
      apiKey: "sk-bad-0123456789",
      maxRetries: 0,
    });
    const asked = { model: CLAUDE, messages: turns };
    await expect(badKey.chat.completions.create(asked)).rejects.toMatchObject({
      status: 401,
      code: "invalid_api_key",
    });
    const limited = new OpenAI({
      baseURL: `${scene.parley.origin}/v1`,
      apiKey: "sk-limited-012345",
      maxRetries: 0,
    });
    await expect(limited.chat.completions.create(asked)).rejects.toMatchObject({ status: 429 });
    const raw = await postJson(
      scene.chat,
      { ...asked, messages: [{ role: "user", content: "a" }], max_tokens: 5 },
      { headers: bearer(scene.token) },
    );
    expect(raw.status).toBe(200);
    scene.upstream.behave(refuse(400));
    await expect(client.chat.completions.create(asked)).rejects.toMatchObject({ status: 400 });
  });

  test("is told of a break, and closes the service's answer when it leaves", async () => {
    const request = { model: CLAUDE, messages: turns, stream: true as const };
    scene.upstream.behave(createAnthropicAnswer({ breaks: ({ cut }) => cut("fin") }));
    const broken = Array.fromAsync(await client.chat.completions.create(request));
    await expect(broken).rejects.toThrow();
    expect(scene.rows().at(-1)).toMatchObject({ outcome: "interrupted", provenance: "estimated" });

    scene.upstream.behave(createAnthropicAnswer({ breaks: ({ pause }) => pause(60_000) }));
    const early = scene.upstream.closedEarly.count;
    const stream = await client.chat.completions.create(request);
    for await (const { choices } of stream) if (choices[0]?.delta.content) break;
    await scene.upstream.waitFor(() => scene.upstream.closedEarly.count > early, {
      label: "the upstream is left",
      timeoutMs: WAIT_MS,
    });
  });

  test("lists the service's models", async () => {
    const models = await createOwn().models.list();
    expect(models.data[0]).toMatchObject({ id: CLAUDE, object: "model", created: 1_767_323_045 });
    expect(sent()?.path).toBe("/v1/models?limit=1000");
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([CLAUDE]);
    expect(await client.models.retrieve(CLAUDE)).toMatchObject({ id: CLAUDE, object: "model" });
  });

  test.each(["completions", "responses", "embeddings", "moderations"])(
    "finds no /v1/%s there",
    async (path) => {
      const { length } = scene.upstream.requests;
      const url = `${scene.parley.origin}/v1/${path}`;
      const body = { model: CLAUDE, prompt: "a", input: "a" };
      const reply = await postJson(url, body, { headers: bearer(OWN_KEY) });
      expect(reply).toMatchObject({
        status: 400,
        json: { error: { code: "endpoint_not_available", type: "invalid_request_error" } },
      });
      expect(scene.upstream.requests).toHaveLength(length);
    },
  );
});

function createOwn(): OpenAI {
  return new OpenAI({ baseURL: `${scene.parley.origin}/v1`, apiKey: OWN_KEY, maxRetries: 0 });
}

describe.each(others)("%s", (path, body) => {
  const url = () => scene.parley.origin + path;
  const headers = () => bearer(scene.token);

  test("answers whole, with usage in its row", async () => {
    const reply = await postJson(url(), body, { headers: headers() });
    expect(reply).toMatchObject({ status: 200, text: expect.stringContaining("echo: hi") });
    expect(sent()?.path).toBe("/v1/messages");
    expect(scene.rows().at(-1)).toMatchObject({
      prompt_tokens: 11,
      completion_tokens: 7,
      provenance: "reported",
      upstream_id: expect.stringMatching(/^msg_/),
    });
  });

  test("answers as a stream", async () => {
    const asked =
      path === "/chat_complete"
        ? { ...body, generate_params: { stream: true } }
        : { ...body, stream: true };
    const { text } = await openStream(url(), asked, { headers: headers() });
    expect(await text()).toMatch(/echo.*: hi/s);
    expect(sent()?.json).toMatchObject({ stream: true });
    expect(scene.rows().at(-1)).toMatchObject({ total_tokens: 18, outcome: "completed" });
  });

  test("tells that the service refuses a key", async () => {
    const own = bearer("sk-bad-0123456789");
    const reply = await postJson(url(), body, { headers: own });
    expect(reply.status).toBe(401);
  });
});

test("the caller's parameters that Anthropic has nothing like are named by /chat_complete", async () => {
  const body = { prompt: "hi", generate_params: { seed: 1, temperature: 0.5 } };
  const reply = await postJson(`${scene.parley.origin}/chat_complete`, body, {
    headers: bearer(scene.token),
  });
  expect(reply).toMatchObject({ status: 200, headers: { "x-parley-dropped": "seed" } });
  expect(sent()?.json).toMatchObject({ temperature: 0.5, max_tokens: expect.any(Number) });
});

test("questions over WebSocket and gRPC are translated, too", async () => {
  const settings = { OPENAI_KIND: "anthropic", MODEL: CLAUDE };
  const grpc = await startGrpc(settings, { behaviour: anthropicAnswer });
  expect(JSON.stringify(await grpc.client.ask({ prompt: "hi" }))).toContain("echo: hi");
  const socket = await connect(`${grpc.parley.origin}/ask`);
  socket.send("<|ask|>$new$new$hi");
  expect((await readText(socket)).text).toBe("echo: hi");
  await socket.close();
  expect(grpc.upstream.requests.map(({ path }) => path)).toEqual(["/v1/messages", "/v1/messages"]);
});
