/** The official package, with nothing changed but its address and its key, over services of both kinds. */
import type Anthropic from "@anthropic-ai/sdk";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { anthropicAnswer, createAnthropicAnswer } from "../../support/anthropic.ts";
import * as faults from "../../support/faults.ts";
import { deadline } from "../../support/http.ts";
import { answer } from "../../support/upstream.ts";
import { MODEL, setPrice, startTokenScene, type TokenScene, tell } from "../openai/support.ts";
import { CLAUDE, createClient, startNative } from "./support.ts";

const WAIT_MS = 5_000;
const tool = {
  name: "find",
  description: "Finds it",
  input_schema: { type: "object" as const, properties: { q: { type: "string" } } },
};
const chunk = (delta: object, finish: string | null = null) => ({
  id: "chatcmpl-9",
  object: "chat.completion.chunk",
  created: 1,
  model: MODEL,
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const counted = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const called = { name: "find", arguments: '{"q":"cat"}' };
/** What a service of OpenAI's kind says where Anthropic's calls a tool. */
const callsTool = tell(
  {
    id: "chatcmpl-9",
    object: "chat.completion",
    model: MODEL,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "echo: cat",
          tool_calls: [{ id: "toolu_1", type: "function", function: called }],
        },
        finish_reason: "tool_calls",
      },
    ],
    usage: counted,
  },
  [
    chunk({ role: "assistant", content: "echo: " }),
    chunk({ content: "cat" }),
    chunk({
      tool_calls: [
        { index: 0, id: "toolu_1", type: "function", function: { name: "find", arguments: "" } },
      ],
    }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"q":' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"cat"}' } }] }),
    chunk({}, "tool_calls"),
    { ...chunk({}), choices: [], usage: counted },
  ],
);

interface Side {
  readonly model: string;
  scene: TokenScene;
  client: Anthropic;
}

const native = { model: CLAUDE } as Side;
const translated = { model: MODEL } as Side;
beforeAll(async () => {
  native.scene = await startNative();
  translated.scene = await startTokenScene();
  await setPrice(native.scene.parley.origin, CLAUDE);
  for (const side of [native, translated]) side.client = createClient(side.scene, side.scene.token);
});

describe.each([
  ["its own kind", native],
  ["another kind", translated],
])("over a service of %s", (_kind, side) => {
  beforeEach(() => side.scene.upstream.behave(side === native ? anthropicAnswer : answer));
  const ask = (content: string) => ({
    model: side.model,
    max_tokens: 100,
    messages: [{ role: "user" as const, content }],
  });

  test("a whole answer", async () => {
    const { data, response } = await side.client.messages.create(ask("hello")).withResponse();
    expect(data).toMatchObject({
      type: "message",
      role: "assistant",
      model: side.model,
      content: [{ type: "text", text: "echo: hello" }],
      stop_reason: "end_turn",
      stop_sequence: null,
    });
    expect(data.usage.output_tokens).toBeGreaterThan(0);
    expect(response.headers.get("request-id")).toMatch(/^req-/);
    expect(response.headers.get("x-parley-dropped")).toBeNull();
  });

  test("a stream says what the whole answer says", async () => {
    side.scene.upstream.behave(side === native ? anthropicAnswer : callsTool);
    const request = { ...ask("cat"), tools: [tool] };
    const whole = await side.client.messages.create(request);
    const streamed = await side.client.messages.stream(request).finalMessage();
    const { id: _id, ...same } = JSON.parse(JSON.stringify(whole));
    const { id: _other, ...said } = JSON.parse(JSON.stringify(streamed));
    for (const message of [same, said]) {
      expect(message).toMatchObject({
        content: [
          { type: "text", text: "echo: cat" },
          { type: "tool_use", name: "find", input: { q: "cat" } },
        ],
        stop_reason: "tool_use",
        usage: { input_tokens: 11, output_tokens: 7 },
      });
    }
  });

  test("a row has what was used, native or translated", async () => {
    side.scene.upstream.behave(side === native ? anthropicAnswer : callsTool);
    await side.client.messages.stream(ask("cat")).finalMessage();
    await side.client.messages.create(ask("cat"));
    for (const row of side.scene.rows().slice(-2)) {
      expect(row).toMatchObject({
        dialect: "anthropic",
        model: side.model,
        answered_by: side.model,
        prompt_tokens: 11,
        completion_tokens: 7,
        total_tokens: 18,
        provenance: "reported",
        outcome: "completed",
      });
      expect(row.upstream_id).toMatch(/^(msg_\d+|chatcmpl-9)$/);
    }
  });

  test("a wrong key of the caller's is their error", async () => {
    side.scene.upstream.behave(side === native ? anthropicAnswer : faults.refuse(401));
    const failure = createClient(side.scene, "sk-bad-0123456789").messages.create(ask("a"));
    await expect(failure).rejects.toMatchObject({ status: 401, type: "authentication_error" });
  });

  test("a field that is missing is named, by Parley", async () => {
    const { max_tokens: _left, ...others } = ask("a");
    const failure = side.client.messages.create(
      others as Anthropic.MessageCreateParamsNonStreaming,
    );
    await expect(failure).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      apiMessage: "The field max_tokens is missing.",
      errorCode: "field_missing",
      requestID: expect.stringMatching(/^req-/),
    });
  });

  test("a service that fails, and one that has too much to do", async () => {
    side.scene.upstream.behave(faults.refuse(500));
    const failed = side.client.messages.create(ask("a"));
    await expect(failed).rejects.toMatchObject({ status: 502, type: "api_error" });
    side.scene.upstream.behave(faults.refuse(529));
    const busy = side.client.messages.create({ ...ask("a"), stream: true });
    await expect(busy).rejects.toMatchObject({ status: 529, type: "overloaded_error" });
  });

  test("what the service refuses is told in its words", async () => {
    side.scene.upstream.behave(faults.refuse(400));
    await expect(side.client.messages.create(ask("a"))).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      apiMessage: expect.stringContaining("400"),
    });
  });

  test("a stream that breaks ends with an error", async () => {
    side.scene.upstream.behave(
      side === native
        ? createAnthropicAnswer({ breaks: ({ cut }) => cut("reset") })
        : faults.resetMidStream,
    );
    const stream = await side.client.messages.create({ ...ask("a"), stream: true });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type } of stream) seen.push(type);
    })();
    await expect(reading).rejects.toMatchObject({ type: "api_error" });
    expect(seen).toContain("content_block_delta");
    expect(seen).not.toContain("message_stop");
    expect(side.scene.rows().at(-1)).toMatchObject({ outcome: "interrupted" });
  });

  test("a client that leaves closes the service's answer", async () => {
    const { upstream } = side.scene;
    upstream.behave(
      side === native
        ? createAnthropicAnswer({ breaks: ({ pause }) => pause(60_000) })
        : faults.stallMidStream,
    );
    const early = upstream.closedEarly.count;
    const stream = await side.client.messages.create({ ...ask("a"), stream: true });
    for await (const { type } of stream) if (type === "content_block_delta") break;
    await upstream.waitFor(() => upstream.closedEarly.count > early, {
      label: "the upstream is left",
      timeoutMs: WAIT_MS,
    });
  });

  test("its models", async () => {
    side.scene.upstream.behave(side === native ? anthropicAnswer : answer);
    const page = await side.client.models.list();
    const [model] = page.data;
    expect(model).toMatchObject({ type: "model", id: side.model, display_name: side.model });
    expect(page).toMatchObject({ has_more: false, first_id: side.model });
    expect(await side.client.models.retrieve(side.model)).toMatchObject({ id: side.model });
    await expect(side.client.models.retrieve("of-nobody")).rejects.toMatchObject({
      status: 404,
      type: "not_found_error",
    });
  });
});

test("tokens are counted by the service, or estimated and marked", async () => {
  native.scene.upstream.behave(anthropicAnswer);
  const ask = (model: string) => ({
    model,
    messages: [{ role: "user" as const, content: "hello" }],
  });
  const own = await native.client.messages.countTokens(ask(CLAUDE)).withResponse();
  expect(own.data).toEqual({ input_tokens: 42 });
  expect(own.response.headers.get("x-parley-estimated")).toBeNull();
  const { length } = translated.scene.upstream.requests;
  const rows = translated.scene.rows().length;
  const estimate = await translated.client.messages.countTokens(ask(MODEL)).withResponse();
  expect(estimate.data.input_tokens).toBeGreaterThan(0);
  expect(estimate.data.input_tokens).toBeLessThan(20);
  expect(estimate.response.headers.get("x-parley-estimated")).toBe("true");
  expect(translated.scene.upstream.requests).toHaveLength(length);
  expect(translated.scene.rows()).toHaveLength(rows);
  await expect(translated.client.messages.countTokens(ask("unpriced"))).rejects.toMatchObject({
    status: 404,
  });
});

test("what was left out is named", async () => {
  translated.scene.upstream.behave(answer);
  const { response } = await deadline(
    translated.client.messages
      .create({
        model: MODEL,
        max_tokens: 9,
        service_tier: "auto",
        metadata: { user_id: "u" },
        messages: [{ role: "user", content: "a" }],
      })
      .withResponse(),
    WAIT_MS,
    "an answer",
  );
  expect(response.headers.get("x-parley-dropped")?.split(", ").sort()).toEqual([
    "metadata",
    "service_tier",
  ]);
  expect(translated.scene.upstream.requests.at(-1)?.json).toEqual({
    model: MODEL,
    max_tokens: 9,
    messages: [{ role: "user", content: "a" }],
  });
});

test("what can't be carried over is refused by name, before the service is asked", async () => {
  const { length } = translated.scene.upstream.requests;
  const failure = translated.client.messages.create({
    model: MODEL,
    max_tokens: 9,
    messages: [{ role: "user", content: "a" }],
    tools: [{ type: "web_search_20250305", name: "web_search" }],
  });
  await expect(failure).rejects.toMatchObject({
    status: 400,
    errorCode: "field_unsupported",
    apiMessage: expect.stringContaining("tools[0]"),
  });
  expect(translated.scene.upstream.requests).toHaveLength(length);
});
