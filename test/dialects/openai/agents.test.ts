/** The sequences of requests that agents and assistants make, as their clients make them. */
import { describe, expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import type { Behaviour, RecordedRequest } from "../../support/upstream.ts";
import { bearer, createClient, MODEL, sendPieces, startTokenScene, tell } from "./support.ts";

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const base = { id: "chatcmpl-1", object: "chat.completion", created: 1, model: MODEL, usage };
const call = {
  id: "call_1",
  type: "function",
  function: { name: "weather", arguments: '{"city":"Zürich 🏔"}' },
};
const asks = {
  ...base,
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: null, tool_calls: [call] },
      finish_reason: "tool_calls",
    },
  ],
};
const says = {
  ...base,
  choices: [{ index: 0, message: { role: "assistant", content: "晴れ ☀️" }, finish_reason: "stop" }],
};
const pieceOf = (delta: object, finish_reason: string | null = null) => ({
  ...base,
  object: "chat.completion.chunk",
  usage: undefined,
  choices: [{ index: 0, delta, finish_reason }],
});
const askingEvents = [
  pieceOf({ role: "assistant", content: null, tool_calls: [{ index: 0, ...call }] }),
  pieceOf({}, "tool_calls"),
];
const sayingEvents = [pieceOf({ role: "assistant", content: "晴れ ☀️" }), pieceOf({}, "stop")];

const hasResult = ({ bodyText }: RecordedRequest) => bodyText.includes('"sunny"');

const tools = [
  {
    type: "function" as const,
    function: {
      name: "weather",
      description: "The weather of a city.",
      function: () => "sunny",
      parameters: { type: "object" as const },
    },
  },
];

describe.concurrent("an agent that works with tools", () => {
  test.each([false, true])("has its tools run and its answer (stream: %s)", async (stream) => {
    const scene = await startTokenScene();
    scene.upstream.behave((request) =>
      hasResult(request) ? tell(says, sayingEvents) : tell(asks, askingEvents),
    );
    const messages = [{ role: "user" as const, content: "How is it in Zürich?" }];
    const client = scene.client();
    const runner = stream
      ? client.chat.completions.runTools({ model: MODEL, messages, tools, stream: true })
      : client.chat.completions.runTools({ model: MODEL, messages, tools });
    expect(await runner.finalContent()).toBe("晴れ ☀️");
    expect(scene.upstream.requests.map(hasResult)).toEqual([false, true]);
    expect(scene.rows()).toHaveLength(2);
  });

  test("over responses: functions, namespaces and searches, then the result", async () => {
    const event = (type: string, fields: object) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
    const item = { type: "function_call", id: "fc_1", call_id: "call_1", name: "shell" };
    const done = (output: object[]) =>
      event("response.completed", {
        response: {
          ...{ id: "resp_1", model: MODEL, status: "completed", output },
          usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
        },
      });
    const turns: readonly Behaviour[] = [
      sendPieces([event("response.output_item.done", { output_index: 0, item }), done([item])]),
      sendPieces([event("response.output_text.delta", { delta: "done" }), done([])]),
    ];
    const scene = await startTokenScene();
    scene.upstream.behave(({ serial }) => turns[serial - 1] ?? turns[0] ?? refuse(500));
    const first = {
      model: MODEL,
      instructions: "x".repeat(40_000),
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "ls" }] }],
      tools: [
        { type: "function", name: "shell", strict: false, parameters: { type: "object" } },
        { type: "namespace", name: "mcp__files", tools: [{ type: "function", name: "read" }] },
        { type: "web_search", external_web_access: true },
      ],
      tool_choice: "auto",
      parallel_tool_calls: false,
      reasoning: { effort: "medium", summary: "auto" },
      store: false,
      stream: true,
      include: ["reasoning.encrypted_content"],
      prompt_cache_key: "0199-thread",
    };
    const result = { type: "function_call_output", call_id: "call_1", output: "a.txt" };
    const second = { ...first, input: [...first.input, item, result] };
    const url = `${scene.parley.origin}/v1/responses`;
    for (const body of [first, second]) {
      const headers = { ...bearer(scene.token), accept: "text/event-stream", session_id: "0199" };
      const { status, text } = await postJson(url, body, { headers });
      expect([status, text.includes("response.completed")]).toEqual([200, true]);
      expect(scene.upstream.requests.at(-1)?.json).toEqual(body);
    }
    const row = { outcome: "completed", total_tokens: 7 };
    expect(scene.rows()).toMatchObject([row, row]);
  });
});

describe.concurrent("a client that is refused", () => {
  test("is told the id of its request, and why", async () => {
    const scene = await startTokenScene();
    const client = createClient(`${scene.parley.origin}/v1`, "parley-wrong");
    const refused = await client.models.list().catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 401,
      requestID: expect.stringMatching(/^req-/),
      message: expect.stringContaining("token"),
    });
    const answered = await scene.client().chat.completions.create({ model: MODEL, messages: [] });
    expect(answered._request_id).toMatch(/^req-/);
  });

  test("for a limit that lasts asks no more by itself", async () => {
    const scene = await startTokenScene({ DAY_LIMIT: "1" });
    const client = scene.client().withOptions({ maxRetries: 2 });
    const body = { model: MODEL, messages: [{ role: "user" as const, content: "hi" }] };
    await client.chat.completions.create(body);
    await expect(client.chat.completions.create(body)).rejects.toMatchObject({ status: 429 });
    const lines = scene.parley.log.filter((line) => line.includes('"status":429'));
    expect(lines).toHaveLength(1);
  });
});

test("a page of another site sees what is left and how long to wait, under a route as well", async () => {
  const scene = await startTokenScene({ ROUTE: "api", MINUTE_LIMIT: "2" });
  const headers = { origin: "https://page.example" };
  const url = `${scene.parley.origin}/api`;
  const seen = [];
  for (const body of [{}, { user_content: "hi" }, { user_content: "hi" }]) {
    const { status, headers: told } = await postJson(url, body, { headers });
    expect(told["access-control-allow-origin"]).toBe("*");
    expect(told.ratelimit).toMatch(/r=\d/);
    const exposed = String(told["access-control-expose-headers"]).toLowerCase();
    expect(exposed).toMatch(/ratelimit/);
    expect(exposed).toMatch(/retry-after/);
    seen.push([status, told["retry-after"] !== undefined]);
  }
  expect(seen).toEqual([
    [400, false],
    [200, false],
    [429, true],
  ]);
});
