/** What clients send whose base URL ends in a slash, or lacks its /v1. */
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { connectInVain } from "../../support/websocket.ts";
import {
  bearer,
  createClient,
  EMBEDDER,
  errorOf,
  INSTRUCT,
  MODEL,
  question,
  setPrice,
  startTokenScene,
} from "./support.ts";

/** A base URL that ends in each of these, and the path that a client appends. */
const bases = ["", "/", "//", "/v1/", "//v1", "//v1//", "/v1//"];
const calls: readonly (readonly [method: string, path: string, body: unknown])[] = [
  ["POST", "/chat/completions", question],
  ["POST", "/completions", { model: INSTRUCT, prompt: "hi" }],
  ["POST", "/responses", { model: MODEL, input: "hi" }],
  ["POST", "/embeddings", { model: EMBEDDER, input: "hi" }],
  ["POST", "/moderations", { model: MODEL, input: "hi" }],
  ["POST", "/images/generations", { model: MODEL, prompt: "hi" }],
  ["GET", "/models", undefined],
  ["GET", `/models/${MODEL}`, undefined],
];

async function start(env: Readonly<Record<string, string>> = {}) {
  const scene = await startTokenScene(env);
  const send = (method: string, path: string, body?: unknown, headers = bearer(scene.token)) =>
    postJson(scene.parley.origin + path, body, { method, headers });
  return { ...scene, send };
}

describe.each(calls)("%s %s", (method, path, body) => {
  test("is the same under every base URL: answer, service, usage, log, one call", async () => {
    const { send, upstream, rows, parley } = await start({ MINUTE_LIMIT: "100" });
    const seen = async (spelled: string) => {
      const [asked, kept] = [upstream.requests.length, rows().length];
      const reply = await send(method, spelled, body);
      const { route } = JSON.parse(await parley.logged(String(reply.headers["x-request-id"])));
      return {
        status: reply.status,
        remaining: Number(/r=(\d+)/.exec(String(reply.headers.ratelimit))?.[1]),
        paths: upstream.requests.slice(asked).map((one) => one.path),
        rows: rows()
          .slice(kept)
          .map(({ dialect, model, outcome }) => ({ dialect, model, outcome })),
        route,
      };
    };
    const { remaining, ...usual } = await seen(`/v1${path}`);
    expect([usual.status, usual.paths]).toEqual([200, [`/v1${path}`]]);
    const spellings = [...bases.map((base) => base + path), `/v1${path}/`, `${path}/`];
    for (const [at, spelled] of spellings.entries()) {
      const expected = { ...usual, remaining: remaining - at - 1 };
      expect({ spelled, ...(await seen(spelled)) }).toEqual({ spelled, ...expected });
    }
  });

  test("is refused in OpenAI's form, with the same Allow", async () => {
    const { send } = await start();
    for (const base of bases) {
      const unknown = await send(method, base + path, body, bearer("parley-unknown"));
      expect([unknown.status, errorOf(unknown).code]).toEqual([401, "invalid_api_key"]);
      const other = await send("PUT", base + path, body);
      expect([other.status, other.headers.allow]).toEqual([405, method]);
      expect(errorOf(other).code).toBe("method_not_allowed");
    }
  });
});

test("what is not served below /v1 is not served there either, in OpenAI's form", async () => {
  const { send } = await start();
  for (const path of ["//v1/nowhere", "/responses/a/b/c", "/embeddings/x", "/v1//x"]) {
    const reply = await send("POST", path, {});
    expect([path, reply.status, errorOf(reply).code]).toEqual([path, 404, "not_found"]);
  }
});

test("paths that others own stay theirs", async () => {
  const { send } = await start();
  for (const path of ["/images/variations", "/completionsx", "/x/completions", "/", "//api"]) {
    const reply = await send("POST", path, {});
    expect([path, Object.keys(Object(reply.json)).includes("error")]).toEqual([path, false]);
  }
  expect((await send("POST", "/named/chat", { content: "hi", model: MODEL })).status).toBe(200);
  expect((await send("DELETE", "/named")).status).toBe(200);
});

test("the id of a model keeps its slashes", async () => {
  const { send, upstream, parley } = await start();
  await setPrice(parley.origin, "org%2Fone");
  for (const path of ["/models/org/one", "//v1//models/org/one", "/models/org%2Fone"]) {
    await send("GET", path);
    expect(decodeURIComponent(upstream.requests.at(-1)?.path ?? "")).toBe("/v1/models/org/one");
  }
});

test("a WebSocket handshake there is told to use HTTP", async () => {
  const { parley, token } = await start();
  for (const path of ["/responses", "//v1/responses", "/v1/responses/", "//responses?a=b"]) {
    const refused = await connectInVain(parley.origin + path, { headers: bearer(token) });
    expect(refused).toMatchObject({ status: 426, json: { error: { code: "websocket_refused" } } });
  }
});

test.each(bases)("the official client works with a base URL that ends in '%s'", async (base) => {
  const { parley, token } = await start();
  const client = createClient(`${parley.origin}${base}`, token);
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toContain(MODEL);
  const messages = [{ role: "user" as const, content: "hi" }];
  const said = await client.chat.completions.create({ model: MODEL, messages });
  expect(said.choices[0]?.message.content).toBe("echo: hi");
});

test("however the path is spelled, the budget is one", async () => {
  const { send, upstream } = await start({ MINUTE_LIMIT: "5" });
  const path = "/chat/completions";
  const odd = ["/%63hat/completions", "/v1/chat%2Fcompletions", "/./v1/chat/completions"];
  const spellings = [...bases, ...bases].map((base) => base + path).concat(odd, odd);
  const replies = await Promise.all(spellings.map((one) => send("POST", one, question)));
  const count = (status: number) => replies.filter((reply) => reply.status === status).length;
  expect(count(200)).toBe(5);
  expect(upstream.requests).toHaveLength(5);
  expect(count(429)).toBeGreaterThan(8);
});
