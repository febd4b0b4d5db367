/** What the operator allows holds on every path, unless the caller pays with a key of their own. */
import { describe, expect, test } from "vitest";
import { ADMIN_ENV, bearer, issue, MODEL, setPrice } from "../dialects/openai/support.ts";
import { startGrpc } from "../support/grpc.ts";
import { postJson, type Reply } from "../support/http.ts";
import { OWN_KEY } from "../support/scene.ts";
import { connect } from "../support/websocket.ts";

const OTHER = "gpt-4";
const messages = [{ role: "user", content: "Hello?" }];

async function start(settings: Readonly<Record<string, string>>, fields: object = {}) {
  const scene = await startGrpc({ ...ADMIN_ENV, CHATS_ACCESS: "open", MODEL, ...settings });
  const { origin } = scene.parley;
  for (const model of [MODEL, OTHER]) await setPrice(origin, model);
  const { token } = await issue(origin, fields);
  const post = (path: string, body: object, credential: string | null = token) =>
    postJson(`${origin}${path}`, body, { headers: credential === null ? {} : bearer(credential) });
  const asked = () => scene.upstream.requests.at(-1)?.json as Record<string, unknown>;
  return { scene, origin, token, post, asked };
}

type Started = Awaited<ReturnType<typeof start>>;

const passedOn: Readonly<Record<string, (fields: object) => object>> = {
  "/v1/chat/completions": (fields) => ({ messages, ...fields }),
  "/chat": (fields) => ({ messages, ...fields }),
  "/v1/completions": (fields) => ({ prompt: "Hello?", ...fields }),
  "/v1/responses": (fields) => ({ input: "Hello?", ...fields }),
  "/chat_complete": (fields) => ({ messages, generate_params: fields }),
};
const boundIn: Readonly<Record<string, string>> = {
  "/v1/responses": "max_output_tokens",
  "/chat_complete": "max_tokens",
};
const kept: Readonly<Record<string, (fields: object) => object>> = {
  "/": (fields) => ({ user_content: "Hello?", ...fields }),
  "/ask/new": (fields) => ({ prompt: "Hello?", ...fields }),
  "/c/chat": (fields) => ({ content: "Hello?", ...fields }),
};

const namesField = ({ status, text }: Reply, field: string) => {
  expect(status, text).toBe(400);
  expect(text).toContain(field);
};

describe.each(Object.entries(passedOn))("over %s", (path, body) => {
  const bound = boundIn[path] ?? "max_tokens";

  test("ALLOWED_MODELS binds a token without a list of its own", async () => {
    const { post, scene } = await start({ ALLOWED_MODELS: MODEL });
    namesField(await post(path, body({ model: OTHER })), "model");
    expect(scene.upstream.requests).toEqual([]);
    expect((await post(path, body({ model: MODEL }))).status).toBe(200);
    expect((await post(path, body({ model: OTHER }), OWN_KEY)).status).toBe(200);
  });

  test("a token's own list takes precedence", async () => {
    const { post } = await start({ ALLOWED_MODELS: MODEL }, { models: [OTHER] });
    expect((await post(path, body({ model: OTHER }))).status).toBe(200);
    expect((await post(path, body({ model: MODEL }))).status).toBe(403);
  });

  test("MAX_TOKENS_LIMIT bounds all answers together, and adds no bound", async () => {
    const { post, asked } = await start({ MAX_TOKENS_LIMIT: "100", MAX_TOKENS: "50" });
    const ask = (fields: object, credential?: string) =>
      post(path, body({ model: MODEL, ...fields }), credential);
    namesField(await ask({ [bound]: 101 }), bound);
    if (path !== "/v1/responses") namesField(await ask({ [bound]: 51, n: 2 }), bound);
    expect((await ask({ [bound]: 100 })).status).toBe(200);
    expect((await ask({ [bound]: 9_999 }, OWN_KEY)).status).toBe(200);
    expect((await ask({})).status).toBe(200);
    expect(asked()[bound]).toBeUndefined();
  });

  test("without MAX_TOKENS_LIMIT only OpenAI's own bounds hold", async () => {
    const { post } = await start({});
    expect((await post(path, body({ model: MODEL, [bound]: 128_000 }))).status).toBe(200);
  });
});

test("a visitor over /chat_complete is bound like a token", async () => {
  const { post } = await start({
    ALLOWED_MODELS: MODEL,
    MAX_TOKENS_LIMIT: "100",
    MAX_TOKENS: "50",
  });
  const ask = (fields: object) =>
    post("/chat_complete", { prompt: "Hello?", generate_params: fields }, null);
  namesField(await ask({ model: OTHER }), "generate_params.model");
  namesField(await ask({ max_tokens: 100_000, n: 50 }), "generate_params.max_tokens");
  namesField(await ask({ max_completion_tokens: 101 }), "generate_params.max_completion_tokens");
  expect((await ask({ max_tokens: 100 })).status).toBe(200);
});

describe.each(Object.entries(kept))("over %s", (path, body) => {
  test("ALLOWED_MODELS binds all but a token with a list of its own", async () => {
    const { post, origin } = await start({ ALLOWED_MODELS: MODEL });
    namesField(await post(path, body({ model: OTHER })), "model");
    namesField(await post(path, body({ model: OTHER }), null), "model");
    const { token } = await issue(origin, { models: [OTHER] });
    expect((await post(path, body({ model: OTHER }), token)).status).toBe(200);
  });

  test.each([
    ["is the default where it is set", { MAX_TOKENS: "500" }, 500],
    ["leaves room up to the limit where it is not", {}, path === "/" ? 100 : 3_500],
    [
      "leaves room up to a limit that is set",
      { MAX_TOKENS_LIMIT: "200" },
      path === "/" ? 100 : 200,
    ],
  ])("MAX_TOKENS %s", async (_, settings, tokens) => {
    const { post, asked } = await start(settings);
    expect((await post(path, body({}))).status).toBe(200);
    expect(asked().max_tokens).toBe(tokens);
  });
});

const streams: Readonly<Record<string, (started: Started, fields: object) => Promise<string>>> = {
  WebSocket: async ({ origin, token }, fields) => {
    const client = await connect(`${origin}/ask`, {
      protocol: "parley.v1",
      headers: bearer(token),
    });
    client.send({ type: "ask", id: "1", prompt: "Hello?", ...fields });
    for (;;) {
      const frame = await client.nextJson();
      if (frame.type === "delta") continue;
      await client.close();
      return JSON.stringify(frame);
    }
  },
  gRPC: async ({ scene, token }, fields) => {
    const request = { prompt: "Hello?", conversation_id: "new", ...fields };
    const options = { metadata: bearer(token) };
    return scene.client.ask(request, options).then(
      () => "answered",
      (error: unknown) => String(error),
    );
  },
};

test.each(Object.entries(streams))("the rules hold over %s", async (_, ask) => {
  const started = await start({ ALLOWED_MODELS: MODEL, MAX_TOKENS: "500" });
  expect(await ask(started, { model: OTHER })).toContain("model");
  expect(started.scene.upstream.requests).toEqual([]);
  await ask(started, {});
  expect(started.asked().max_tokens).toBe(500);
});

test("/mod and /v1/moderations take MODERATION_MODEL beside the allowed ones", async () => {
  const settings = { ALLOWED_MODELS: MODEL, MODERATION_MODEL: "omni-moderation-latest" };
  const { post, origin } = await start(settings);
  await setPrice(origin, "omni-moderation-latest");
  expect((await post("/mod", { content: "Hello?" })).status).toBe(200);
  expect((await post("/v1/moderations", { input: "Hello?" })).status).toBe(200);
  namesField(await post("/mod", { content: "Hello?", model: OTHER }), "model");
  namesField(await post("/v1/moderations", { input: "Hello?", model: OTHER }), "model");
});

test("the list of models shows a token what it may use", async () => {
  const { origin, token } = await start({ ALLOWED_MODELS: "gpt-4o-mini" });
  await setPrice(origin, "gpt-4o");
  const reply = await postJson(`${origin}/v1/models`, undefined, {
    method: "GET",
    headers: bearer(token),
  });
  const ids = (reply.json as { data: { id: string }[] }).data.map(({ id }) => id);
  expect(ids).toEqual(["gpt-4o-mini"]);
});
