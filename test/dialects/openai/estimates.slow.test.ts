/** Quotas hold however a call ends: usage that never came is charged by estimate. */
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import {
  errorEventMidStream,
  finMidStream,
  html200,
  refuse,
  resetBeforeHeaders,
  resetMidBody,
  usageMissing,
} from "../../support/faults.ts";
import { type GrpcScene, startGrpc } from "../../support/grpc.ts";
import { openStream, postJson } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { type Behaviour, createAnswer, goodHeaders } from "../../support/upstream.ts";
import { connect } from "../../support/websocket.ts";
import {
  bearer,
  EMBEDDER,
  INSTRUCT,
  MODEL,
  rowsIn,
  setPrice,
  startTokenScene,
  type TokenScene,
  WAIT_MS,
} from "./support.ts";

/** 400 words as events, and a reason to leave; the usage comes only after that. */
function bookOf(write: (word: { text: string; end: string | null }) => object): Behaviour {
  return {
    name: "a book",
    run: async (exchange) => {
      const { request, response } = exchange;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      const send = (text: string, end: string | null) =>
        exchange.write(
          `data: ${JSON.stringify({ id: "x-1", model: MODEL, ...write({ text, end }) })}\n\n`,
        );
      for (let word = 1; word < 400; word += 1) await send("word ", null);
      await send("word ", "stop");
    },
  };
}
const book = bookOf(({ text, end }) => ({
  choices: [{ index: 0, delta: { content: text }, finish_reason: end }],
}));
const errorEventFirst: Behaviour = {
  name: "an error event first",
  run: ({ request, response }) => {
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    const error = { message: "too many", type: "requests", code: "rate_limit_exceeded" };
    response.end(`data: ${JSON.stringify({ error })}\n\n`);
  },
};
const messages = [{ role: "user", content: "write a book" }];
const asked = { model: MODEL, max_tokens: 1_500, messages };

async function used(scene: TokenScene, token: string): Promise<{ total: number; cost: number }> {
  const reply = await postJson(`${scene.parley.origin}/usage`, undefined, {
    method: "GET",
    headers: bearer(token),
  });
  const { by_day } = reply.json as { by_day: { total_tokens: number; cost: string | null }[] };
  return { total: by_day[0]?.total_tokens ?? 0, cost: Number(by_day[0]?.cost ?? 0) };
}

const questions = (scene: TokenScene) => `${scene.parley.origin}/`;

const chat = "/v1/chat/completions";
/** Streams of 400 words, over each way to ask for one. */
const ways: readonly (readonly [path: string, body: object, behaviour: Behaviour])[] = [
  [chat, { ...asked, stream: true }, book],
  ["/", { user_content: "write a book", max_tokens: 1_500, stream: true }, book],
  ["/chat_complete", { messages, generate_params: { max_tokens: 1_500, stream: true } }, book],
  ["/ask/new", { prompt: "write a book", max_tokens: 1_500, stream: true }, book],
  ["/c/chat", { content: "write a book", max_tokens: 1_500, stream: true }, book],
  [
    "/v1/responses",
    { model: MODEL, input: "write a book", max_output_tokens: 1_500, stream: true },
    bookOf(({ text }) => ({ type: "response.output_text.delta", delta: text })),
  ],
  [
    "/v1/completions",
    { model: MODEL, prompt: "write a book", max_tokens: 1_500, stream: true },
    bookOf(({ text, end }) => ({ choices: [{ index: 0, text, finish_reason: end }] })),
  ],
];

test.each(ways)(
  "who leaves %s at the last word pays for all that passed",
  async (path, body, behaviour) => {
    const scene = await startTokenScene({ CHATS_ACCESS: "open" }, { behaviour });
    const { token } = await scene.issue({ tokens_per_day: 2_000 });
    const leave = async () => {
      const stream = await openStream(`${scene.parley.origin}${path}`, body, {
        headers: bearer(token),
      });
      if (stream.status !== 200) return stream.status;
      let words = 0;
      for await (const event of stream.events) {
        words += event.split("word ").length - 1;
        if (words === 400) stream.hangUp();
      }
      return 200;
    };
    expect(await leave()).toBe(200);
    const label = "the row is written";
    await until(() => scene.rows().length > 0, { label, timeoutMs: WAIT_MS });
    const { total, cost } = await used(scene, token);
    expect(total).toBeGreaterThanOrEqual(400);
    expect(total).toBeLessThan(600);
    expect(cost).toBeGreaterThan(0.0002);
    expect([await leave(), await leave()]).toContain(429);
  },
);

test.each<[string, (scene: GrpcScene) => Promise<void>]>([
  [
    "a WebSocket",
    async ({ parley }) => {
      const client = await connect(`${parley.origin}/ask`, { protocol: "parley.v1" });
      client.send({ type: "ask", id: "1", prompt: "write a book", max_tokens: 1_500 });
      for (let words = 0; words < 400; )
        words += JSON.stringify(await client.nextJson()).split("word ").length - 1;
      await client.close();
    },
  ],
  [
    "gRPC",
    async ({ client }) => {
      const stream = client.open({
        prompt: "write a book",
        conversation_id: "new",
        max_tokens: 1_500,
      });
      stream.on("error", () => undefined);
      let words = 0;
      for await (const { response } of stream) {
        words += String(response).split("word ").length - 1;
        if (words === 400) break;
      }
      stream.cancel();
    },
  ],
])("who leaves over %s is estimated, too", async (_, leave) => {
  const scene = await startGrpc({ MODEL }, { behaviour: book });
  await leave(scene);
  const rows = () => rowsIn(scene.parley.config.DATA_DIR);
  await until(() => rows().length > 0, { label: "the row is written", timeoutMs: WAIT_MS });
  expect(rows()).toMatchObject([{ provenance: "estimated", outcome: "canceled" }]);
  expect(rows()[0]?.total_tokens).toBeGreaterThanOrEqual(400);
});

test("a whole answer without usage costs its text, and the third call is refused", async () => {
  const behaviour = createAnswer({ tokens: null, text: () => "word ".repeat(400) });
  const scene = await startTokenScene({}, { behaviour });
  const { token } = await scene.issue({ tokens_per_day: 2_000 });
  const ask = async () => (await scene.ask(asked, { headers: bearer(token) })).status;
  expect(await ask()).toBe(200);
  expect((await used(scene, token)).total).toBeGreaterThanOrEqual(400);
  expect([await ask(), await ask()]).toContain(429);
});

function countersIn(folder: string, tokenId: string): unknown {
  const file = new DatabaseSync(`${folder}/parley.sqlite`, { readOnly: true });
  try {
    return file.prepare("SELECT * FROM quota_use WHERE token_id = ?").get(tokenId);
  } finally {
    file.close();
  }
}

const estimated = { provenance: "estimated", total_tokens: expect.any(Number) };
const free = { provenance: "unknown", total_tokens: null, cost: null };

test.each<[string, Behaviour, object]>([
  ["an answer without usage", usageMissing, { ...estimated, outcome: "completed" }],
  ["no answer", html200, { ...estimated, outcome: "failed" }],
  ["half an answer", resetMidBody, { ...estimated, outcome: "failed" }],
  ["a connection that broke before the head", resetBeforeHeaders, { ...estimated }],
  ["an error status", refuse(500), { ...free, outcome: "failed" }],
  ["a refusal", refuse(400), { ...free, outcome: "failed" }],
])("%s", async (_, behaviour, row) => {
  const scene = await startTokenScene({}, { behaviour });
  const { token, id } = await scene.issue({ tokens_per_day: 100_000 });
  await scene.ask(asked, { headers: bearer(token) });
  await postJson(questions(scene), { user_content: "write a book" }, { headers: bearer(token) });
  expect(scene.rows()).toMatchObject([row, row]);
  const sum = (field: "total_tokens" | "cost") =>
    scene.rows().reduce((total, one) => total + (one[field] ?? 0), 0);
  expect((await used(scene, token)).total).toBe(sum("total_tokens"));
  const counters = { day_tokens: sum("total_tokens"), day_money: sum("cost"), day_requests: 2 };
  expect(countersIn(scene.parley.config.DATA_DIR, id)).toMatchObject(counters);
});

test.each([
  ["broke off", finMidStream],
  ["never had usage", usageMissing],
])("a stream that %s is estimated", async (_, behaviour) => {
  const scene = await startTokenScene({}, { behaviour });
  await scene.ask({ ...asked, stream: true });
  await postJson(questions(scene), { user_content: "write a book", stream: true });
  expect(scene.rows()).toMatchObject([estimated, estimated]);
});

test.each<[string, Behaviour, object]>([
  ["in place of the first event costs nothing", errorEventFirst, free],
  ["after it does", errorEventMidStream, estimated],
])("an error %s", async (_, behaviour, row) => {
  const scene = await startTokenScene({}, { behaviour });
  await scene.ask({ ...asked, stream: true });
  await postJson(questions(scene), { user_content: "write a book", stream: true });
  expect(scene.rows()).toMatchObject([row, row]);
});

test("an upstream that is not reached costs nothing", async () => {
  const scene = await startTokenScene({ OPENAI_URL: "http://127.0.0.1:9/v1" });
  await scene.ask(asked);
  expect(scene.rows()).toMatchObject([{ ...free, error: "upstream_unreachable" }]);
});

test("of embeddings and moderations the question is estimated, never an answer", async () => {
  const behaviour = createAnswer({ tokens: null });
  const scene = await startTokenScene({}, { behaviour });
  const body = { model: EMBEDDER, input: "a".repeat(4_000) };
  await postJson(`${scene.parley.origin}/v1/embeddings`, body, { headers: bearer(scene.token) });
  const [row] = scene.rows();
  expect(row).toMatchObject({ provenance: "estimated", completion_tokens: 0 });
  // a token is four characters, and a tenth more
  expect(row?.total_tokens).toBeGreaterThanOrEqual(1_100);
  expect(row?.total_tokens).toBeLessThan(1_130);
});

test("a model that thinks costs all that was reserved", async () => {
  const scene = await startTokenScene({}, { behaviour: usageMissing });
  await setPrice(scene.parley.origin, "o3-mini");
  await scene.ask({ ...asked, model: "o3-mini" });
  expect(scene.rows()[0]?.total_tokens).toBeGreaterThan(1_500);
});

test("callers who reserved nothing are estimated, too", async () => {
  const scene = await startTokenScene({}, { behaviour: usageMissing });
  await postJson(questions(scene), { user_content: "write a book", model: INSTRUCT });
  await scene.ask(asked, { headers: bearer(OWN_KEY) });
  expect(scene.rows()).toMatchObject([
    { ...estimated, payer_kind: "visitor" },
    { ...estimated, payer_kind: "own-key" },
  ]);
});

test("what is reserved for an answer has a bound, whatever it may have", async () => {
  const scene = await startTokenScene({ RESERVE_TOKENS: "500" });
  const { token } = await scene.issue({ tokens_per_day: 1_000 });
  const reply = await scene.ask({ ...asked, max_tokens: 128_000 }, { headers: bearer(token) });
  expect(reply.status).toBe(200);
});

test.each<[string, (picture: object) => [path: string, body: object]]>([
  [
    "chat completions",
    (part) => ["/v1/chat/completions", { ...asked, messages: [{ role: "user", content: [part] }] }],
  ],
  [
    "/chat_complete",
    (part) => [
      "/chat_complete",
      {
        messages: [{ role: "user", content: [part] }],
        generate_params: { model: MODEL, max_tokens: 100 },
      },
    ],
  ],
])("a large picture fits into a quota over %s", async (_, ask) => {
  const scene = await startTokenScene();
  const { token } = await scene.issue({ tokens_per_day: 100_000, money_per_day: "0.05" });
  const url = `data:image/png;base64,${"A".repeat(900_000)}`;
  const [path, body] = ask({ type: "image_url", image_url: { url } });
  const reply = await postJson(`${scene.parley.origin}${path}`, body, { headers: bearer(token) });
  expect(reply.status).toBe(200);
});
