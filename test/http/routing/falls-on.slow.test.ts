/** A call that one upstream does not answer goes to the next, before the client's first byte. */
import { describe, expect, test } from "vitest";
import {
  errorJson200WhereSseAsked,
  html200,
  refuse,
  resetBeforeHeaders,
  resetMidBody,
  resetMidStream,
  silent,
  stallAfterHeaders,
} from "../../support/faults.ts";
import { openStream } from "../../support/http.ts";
import { startRouted } from "../../support/routed.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import {
  type Behaviour,
  createAnswer,
  type Exchange,
  startUpstream,
} from "../../support/upstream.ts";

const ROUTE = "first:model-a; second:model-b";
const SHORT = { answerSeconds: 1, firstTokenSeconds: 1 };

const modelMissing = refuse(404, { message: "The model `model-a` does not exist" });

const modelMissingByType: Behaviour = {
  name: "404 by its type",
  run: ({ response }) => {
    const error = { message: "No such thing", type: "model_not_found", code: "404" };
    response.writeHead(404, { "content-type": "application/json" });
    response.end(JSON.stringify({ error }));
  },
};

const endlessRefusal: Behaviour = {
  name: "500 without an end",
  run: ({ response }) => {
    response.writeHead(500, { "content-type": "application/json" });
    response.write('{"error":');
  },
};

const goesOn: readonly (readonly [string, Behaviour])[] = [
  ["no answer at all", silent],
  ["headers and nothing more", stallAfterHeaders],
  ["a reset connection", resetBeforeHeaders],
  ["a whole answer that breaks off", resetMidBody],
  ["408", refuse(408)],
  ["429", refuse(429)],
  ["500", refuse(500)],
  ["503", refuse(503)],
  ["529", refuse(529)],
  ["a key that is refused", refuse(401)],
  ["an account without money", refuse(402)],
  ["404 for the model", modelMissing],
  ["404 that speaks of the model in its type alone", modelMissingByType],
  ["a refusal whose body never ends", endlessRefusal],
  ["a page", html200],
  ["a 200 that is an error", errorJson200WhereSseAsked],
];

describe("the next resort answers", () => {
  test.each(goesOn)("after %s", async (_, behaviour) => {
    const { add, route, token, chat, storage } = await scene();
    const first = await add("first", SHORT);
    const second = await add("second");
    await route("alias", ROUTE);
    first.behave(behaviour);
    const reply = await chat("alias", await token());
    expect([reply.status, reply.headers["x-parley-upstream"]]).toEqual([200, "second"]);
    expect(first.requests).toHaveLength(1);
    expect(second.requests.map(({ json }) => json)).toMatchObject([{ model: "model-b" }]);
    expect(second.requests[0]?.headers.authorization).toBe("Bearer sk-of-second-0123456789");
    const [row] = await storage.ledger.rows();
    expect(row).toMatchObject({
      ...{ model: "alias", upstream: "second", upstreamModel: "model-b" },
      ...{ tries: 2, outcome: "completed" },
    });
  });

  test("a stream goes on, too, if nothing of it has passed", async () => {
    const { parley, add, route, token } = await scene();
    const first = await add("first", SHORT);
    const second = await add("second");
    await route("alias", ROUTE);
    for (const behaviour of [silent, stallAfterHeaders, refuse(500)]) {
      first.behave(behaviour);
      const answer = await streamOf(parley.origin, "alias", await token());
      expect(answer.headers["x-parley-upstream"]).toBe("second");
      expect(await answer.text()).toContain("[DONE]");
    }
    expect(second.requests).toHaveLength(3);
  });
});

const staysWith: readonly (readonly [string, Behaviour, number])[] = [
  ["400", refuse(400), 400],
  ["403", refuse(403), 403],
  ["413", refuse(413), 413],
  ["422", refuse(422), 422],
  ["404 for something else", refuse(404), 404],
];

describe("the refusal is told, and nobody else is asked", () => {
  test.each(staysWith)("after %s", async (_, behaviour, status) => {
    const { add, route, token, chat } = await scene();
    const first = await add("first");
    const second = await add("second");
    await route("alias", ROUTE);
    first.behave(behaviour);
    const reply = await chat("alias", await token());
    expect([reply.status, reply.headers["x-parley-upstream"]]).toEqual([status, "first"]);
    expect([first.requests.length, second.requests.length]).toEqual([1, 0]);
  });
});

test("nothing is asked twice once its first byte has passed", async () => {
  const { parley, add, route, token } = await scene();
  const first = await add("first");
  const second = await add("second");
  await route("alias", ROUTE);
  first.behave(resetMidStream);
  const answer = await streamOf(parley.origin, "alias", await token());
  expect(answer.headers["x-parley-upstream"]).toBe("first");
  expect(await answer.text().catch(() => "broken off")).not.toContain("[DONE]");
  expect(second.requests).toHaveLength(0);
});

test("a call makes at most six requests, over keys and targets", async () => {
  const { add, route, token, chat } = await scene();
  const keys = Array.from({ length: 4 }, (_, at) => `sk-key-number-${at}-0123456789`);
  const first = await add("first", { keys });
  const second = await add("second", { keys: keys.map((key) => `${key}-b`) });
  await route("alias", ROUTE);
  for (const upstream of [first, second]) upstream.behave(refuse(401));
  const reply = await chat("alias", await token());
  expect(reply.status).toBe(502);
  expect([first.requests.length, second.requests.length]).toEqual([4, 2]);
});

test("the first target is retried as RETRIES says, the next gets one attempt", async () => {
  const { add, route, token, chat, storage } = await scene({ RETRIES: "2" });
  const first = await add("first");
  const second = await add("second");
  await route("alias", ROUTE);
  for (const upstream of [first, second]) upstream.behave(refuse(500));
  expect((await chat("alias", await token())).status).toBe(502);
  expect([first.requests.length, second.requests.length]).toEqual([3, 1]);
  expect(await storage.ledger.rows()).toMatchObject([{ tries: 4, upstream: "second" }]);
});

describe("a caller's own key", () => {
  test("goes to the default upstream alone, under the name that its target has", async () => {
    const { base, add, route, chat } = await scene();
    const first = await add("first");
    await route("alias", "first:model-a; default:base-model");
    const reply = await chat("alias", OWN_KEY);
    expect(reply.headers["x-parley-upstream"]).toBe("default");
    expect(base.requests).toMatchObject([{ json: { model: "base-model" } }]);
    expect(base.requests[0]?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    expect(first.requests).toHaveLength(0);
  });

  test("is refused where no target is the default upstream", async () => {
    const { base, add, route, chat } = await scene();
    const first = await add("first");
    await route("alias", "first:model-a");
    const reply = await chat("alias", OWN_KEY);
    expect([reply.status, reply.json]).toMatchObject([
      400,
      { error: { code: "model_not_available", param: "model" } },
    ]);
    expect([base.requests.length, first.requests.length]).toEqual([0, 0]);
  });

  test("never goes elsewhere when it fails, and its 401 is told", async () => {
    const { base, add, route, chat } = await scene();
    const first = await add("first", { models: ["listed"] });
    await route("alias", "default:base-model; first:model-a");
    for (const behaviour of [refuse(401), refuse(500), resetBeforeHeaders]) {
      base.behave(behaviour);
      const { status } = await chat("alias", OWN_KEY);
      expect(status).toBe(behaviour.name.includes("401") ? 401 : 502);
    }
    base.behave(createAnswer());
    expect((await chat("listed", OWN_KEY)).headers["x-parley-upstream"]).toBe("default");
    expect(first.requests).toHaveLength(0);
  });

  test("of Anthropic's kept with a token comes to no other service", async () => {
    const { base, chat, token } = await scene();
    const key = await token({ upstreamKey: "sk-ant-of-a-token-0123456789" });
    const { status, json } = await chat("base-model", key);
    expect([status, json]).toMatchObject([401, { error: { code: "key_of_other_service" } }]);
    expect(base.requests).toHaveLength(0);
  });

  test("of a token's own follows the same rule", async () => {
    const { base, add, route, chat, token } = await scene();
    const first = await add("first");
    await route("alias", "first:model-a; default:base-model");
    await chat("alias", await token({ upstreamKey: OWN_KEY }));
    expect(base.requests[0]?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    expect(first.requests).toHaveLength(0);
  });
});

test("a model goes to the upstream that lists it, another to the default one", async () => {
  const { base, add, token, chat } = await scene();
  const first = await add("first", { models: ["listed", "llama3:8b"] });
  const key = await token();
  for (const model of ["listed", "llama3:8b", "model-of-nobody"]) await chat(model, key);
  expect(first.requests.map(({ json }) => json)).toMatchObject([
    { model: "listed" },
    { model: "llama3:8b" },
  ]);
  expect(base.requests.map(({ json }) => json)).toMatchObject([{ model: "model-of-nobody" }]);
});

test("an upstream without keys gets none, and its own headers", async () => {
  const { add, token, chat } = await scene();
  const first = await add("first", {
    keys: [],
    headers: { "x-team": "blue" },
    models: ["listed"],
  });
  expect((await chat("listed", await token())).status).toBe(200);
  expect(first.requests[0]?.headers).toMatchObject({ "x-team": "blue" });
  expect(first.requests[0]?.headers.authorization).toBeUndefined();
});

test("an Azure upstream gets its api-key and its version", async () => {
  const { add, token, chat, storage } = await scene();
  const azure = await startUpstream();
  await add("azure");
  const url = `${azure.url}?api-version=2024-10-21`;
  await storage.routing.changeUpstream("azure", { kind: "azure", url, models: ["listed"] });
  expect((await chat("listed", await token())).status).toBe(200);
  expect(azure.requests).toMatchObject([
    {
      path: "/v1/chat/completions?api-version=2024-10-21",
      headers: { "api-key": "sk-of-azure-0123456789" },
    },
  ]);
  await azure.close();
});

test("a call over an upstream's bound goes to the next one, or is refused", async () => {
  const { add, route, token, chat } = await scene();
  const first = await add("first", { concurrency: 1 });
  const second = await add("second", { concurrency: 1 });
  await route("alias", ROUTE);
  const key = await token();
  for (const upstream of [first, second]) upstream.behave(silent);
  const left = () => undefined;
  void chat("alias", key).catch(left);
  await first.waitFor(() => first.open() === 1, { label: "first", timeoutMs: 10_000 });
  void chat("alias", key).catch(left);
  await second.waitFor(() => second.open() === 1, { label: "second", timeoutMs: 10_000 });
  const reply = await chat("alias", key);
  expect([reply.status, reply.json]).toMatchObject([429, { error: { code: "upstream_busy" } }]);
  expect(reply.headers["retry-after"]).toBe("1");
});

test("what an upstream said of its key is told to nobody", async () => {
  const { add, route, token, chat, parley } = await scene();
  const first = await add("first", { headers: { "x-secret": "canary-of-a-header" } });
  await route("alias", "first:model-a");
  const words = `no: sk-of-first-0123456789, canary-of-a-header, ${OPERATOR_KEY}`;
  first.behave(refuse(400, { message: words }));
  const reply = await chat("alias", await token());
  const told = reply.text + parley.log.join("\n");
  for (const secret of ["of-first-0123456789", "canary-of-a-header", OPERATOR_KEY.slice(3)]) {
    expect(told).not.toContain(secret);
  }
});

test("nor what it says of a header that has been changed since the call began", async () => {
  const { add, route, token, chat, storage } = await scene();
  const first = await add("first", { headers: { "x-secret": "canary-of-a-header" } });
  await route("alias", "first:model-a");
  await route("listed", "first:model-b");
  const key = await token();
  const begun = Promise.withResolvers<Exchange>();
  first.behave({ name: "held", run: (exchange) => begun.resolve(exchange) });
  const reply = chat("alias", key);
  const exchange = await begun.promise;
  first.behave(createAnswer());
  await storage.routing.changeUpstream("first", { headers: { "x-secret": "another" } });
  const sent = () => first.requests.at(-1)?.headers["x-secret"];
  await expect
    .poll(() => chat("listed", key).then(sent), { timeout: 5_000, interval: 50 })
    .toBe("another");
  await refuse(400, { message: "no: canary-of-a-header" }).run(exchange);
  const { status, text } = await reply;
  expect([status, text.includes("no: ")]).toEqual([400, true]);
  expect(text).not.toContain("canary-of-a-header");
});

async function scene(env: Readonly<Record<string, string>> = {}) {
  const routed = await startRouted({ RETRIES: "0", ...env });
  const models = ["alias", "model-a", "model-b", "base-model", "listed", "llama3:8b"];
  for (const model of [...models, "model-of-nobody"]) await routed.price(model);
  return routed;
}

function streamOf(origin: string, model: string, key: string) {
  const question = { model, stream: true, messages: [{ role: "user", content: "Hello?" }] };
  const headers = { authorization: `Bearer ${key}` };
  return openStream(`${origin}/v1/chat/completions`, question, { headers });
}
