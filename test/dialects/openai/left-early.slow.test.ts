/** What a client saw no end of is charged by what had passed, whatever the service said until then. */
import { expect, test } from "vitest";
import { openStream } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { type Behaviour, goodHeaders } from "../../support/upstream.ts";
import { bearer, MODEL, startTokenScene, WAIT_MS } from "./support.ts";

const LAST = "the last one";
const chat = "/v1/chat/completions";
const messages = [{ role: "user", content: "write a book" }];
const asked = { model: MODEL, max_tokens: 1_500, messages };

/** 400 events, then one that the client waits for, and no end. */
function book(usual: object, last: object): Behaviour {
  return {
    name: "a book",
    run: async ({ request, response, write }) => {
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      const event = `data: ${JSON.stringify({ id: "x-1", model: MODEL, ...usual })}\n\n`;
      for (let words = 0; words < 400; words += 1) await write(event);
      await write(`data: ${JSON.stringify({ id: "x-1", model: MODEL, ...last })}\n\n`);
    },
  };
}

const choicesOf = (delta: object) => ({ choices: [{ index: 0, delta }] });
const bookOf = (delta: object, more = {}) =>
  book({ ...choicesOf(delta), ...more }, { ...choicesOf({ content: LAST }), ...more });

async function leaveAtTheLast(behaviour: Behaviour, path: string, body: object) {
  const scene = await startTokenScene({ CHATS_ACCESS: "open" }, { behaviour });
  const stream = await openStream(`${scene.parley.origin}${path}`, body, {
    headers: bearer(scene.token),
  });
  for await (const event of stream.events) if (event.includes(LAST)) stream.hangUp();
  await until(() => scene.rows().length > 0, { label: "the row is written", timeoutMs: WAIT_MS });
  return scene.rows();
}

const noTokens = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
const firstTokens = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 };
const shown = { stream_options: { include_usage: true } };

test.each<[string, string, object, Behaviour]>([
  ["zeros in each event", chat, asked, bookOf({ content: "word " }, { usage: noTokens })],
  ["zeros shown", chat, { ...asked, ...shown }, bookOf({ content: "word " }, { usage: noTokens })],
  ["the first counts", chat, asked, bookOf({ content: "word " }, { usage: firstTokens })],
  [
    "zeros of a response that was created",
    "/v1/responses",
    { model: MODEL, input: "write a book", max_output_tokens: 1_500 },
    book(
      {
        type: "response.output_text.delta",
        delta: "word ",
        response: { status: "in_progress", usage: { input_tokens: 0, output_tokens: 0 } },
      },
      { type: "response.output_text.delta", delta: LAST },
    ),
  ],
])("%s are no usage of an answer that was left", async (_, path, body, behaviour) => {
  const rows = await leaveAtTheLast(behaviour, path, { ...body, stream: true });
  expect(rows).toMatchObject([{ provenance: "estimated", outcome: "canceled" }]);
  expect(rows[0]?.total_tokens).toBeGreaterThanOrEqual(400);
});

/** What programs and other models read. */
const unsaid: readonly object[] = [
  { reasoning_content: "word " },
  { reasoning: "word ", content: "" },
  { content: [{ type: "thinking", thinking: [{ type: "text", text: "word " }] }] },
  { tool_calls: [{ index: 0, function: { arguments: "word " } }] },
];

test.each(
  ["/", "/ask/new", "/c/chat", "/chat_complete", chat].flatMap((path) =>
    unsaid.map((delta) => [path, JSON.stringify(delta)] as const),
  ),
)("who leaves %s pays for what was not said, too: %s", async (path, delta) => {
  const most = { max_tokens: 1_500, stream: true };
  const question = { user_content: "why", prompt: "why", content: "why", messages, model: MODEL };
  const body = { ...question, ...most, generate_params: most };
  const rows = await leaveAtTheLast(bookOf(JSON.parse(delta) as object), path, body);
  expect(rows[0]?.total_tokens).toBeGreaterThanOrEqual(400);
});
