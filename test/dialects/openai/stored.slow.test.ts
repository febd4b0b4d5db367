/** What the service keeps belongs to the token that made it, though tokens share its account. */
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { openStream, postJson } from "../../support/http.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { answer, type Behaviour, type Choose, goodHeaders } from "../../support/upstream.ts";
import {
  admin,
  createClient,
  errorOf,
  MODEL,
  sendPieces,
  startAlone,
  startTokenScene,
  tell,
} from "./support.ts";

const asked = { model: MODEL, input: "Hello?" };

/** Answers questions well, and tells the same of everything that is kept. */
const service: Choose = ({ method, path, json }) => {
  const [where = ""] = path.split("?", 1);
  if (method === "POST" && where === "/v1/responses") return answer;
  const id = where.split("/")[3] ?? "conv_1";
  if (where.endsWith("s/input_tokens"))
    return tell({ object: "response.input_tokens", input_tokens: 7 });
  if (where === "/v1/conversations") return tell({ id: "conv_1", object: "conversation" });
  return tell({ id, object: "kept", method, sent: json ?? null });
};

async function start(env: Readonly<Record<string, string>> = {}) {
  const scene = await startTokenScene(env, { behaviour: service });
  const other = await scene.issue();
  const { origin } = scene.parley;
  const mine = scene.client();
  const theirs = scene.client(other.token);
  const own = createClient(`${origin}/v1`, OWN_KEY);
  const paths = () => scene.upstream.requests.map(({ method, path }) => `${method} ${path}`);
  return { ...scene, origin, other, mine, theirs, own, paths };
}

const rejection = (work: Promise<unknown>) =>
  work.then(
    () => "nothing",
    (error: unknown) => [Reflect.get(Object(error), "status"), Reflect.get(Object(error), "code")],
  );
const notFound = [404, "stored_not_found"];

/** Everything that one may do with a response, or refer to it. */
const withResponse: readonly (readonly [
  string,
  (client: OpenAI, id: string) => Promise<unknown>,
])[] = [
  ["is read", (client, id) => client.responses.retrieve(id)],
  ["is canceled", (client, id) => client.responses.cancel(id)],
  ["tells its input", (client, id) => client.responses.inputItems.list(id)],
  ["is continued", (client, id) => client.responses.create({ ...asked, previous_response_id: id })],
  [
    "is continued in a stream",
    (client, id) => client.responses.create({ ...asked, previous_response_id: id, stream: true }),
  ],
  [
    "is counted",
    (client, id) => client.responses.inputTokens.count({ ...asked, previous_response_id: id }),
  ],
  [
    "is compacted",
    (client, id) => client.responses.compact({ model: MODEL, previous_response_id: id }),
  ],
  ["is deleted", (client, id) => client.responses.delete(id)],
];

const withConversation: typeof withResponse = [
  ["is read", (client, id) => client.conversations.retrieve(id)],
  ["is changed", (client, id) => client.conversations.update(id, { metadata: { a: "b" } })],
  ["lists its items", (client, id) => client.conversations.items.list(id)],
  ["gets items", (client, id) => client.conversations.items.create(id, { items: [] })],
  [
    "shows an item",
    (client, id) => client.conversations.items.retrieve("msg_1", { conversation_id: id }),
  ],
  [
    "loses an item",
    (client, id) => client.conversations.items.delete("msg_1", { conversation_id: id }),
  ],
  ["is talked in", (client, id) => client.responses.create({ ...asked, conversation: id })],
  [
    "is talked in by its object",
    (client, id) => client.responses.create({ ...asked, conversation: { id } }),
  ],
  ["is deleted", (client, id) => client.conversations.delete(id)],
];

describe("a response", () => {
  test.each(withResponse)("%s by its token alone", async (_name, use) => {
    const { mine, theirs, own, upstream, other, parley } = await start();
    const { id } = await mine.responses.create(asked);
    const before = upstream.requests.length;
    expect(await rejection(use(theirs, id))).toEqual(notFound);
    expect(await rejection(use(mine, "resp_unknown"))).toEqual(notFound);
    expect(upstream.requests).toHaveLength(before);
    expect(await rejection(use(mine, id))).toBe("nothing");
    expect(await rejection(use(own, id)), "a caller's own key").toBe("nothing");
    expect(upstream.requests).toHaveLength(before + 2);
    const anonymous = await postJson(`${parley.origin}/v1/responses/${id}`, undefined, {
      method: "GET",
    });
    expect(anonymous.status).toBe(401);
    expect(JSON.stringify(parley.log)).not.toContain(other.token);
  });

  test("that was deleted is gone, and costs nothing but its making", async () => {
    const { mine, rows } = await start();
    const { id } = await mine.responses.create(asked);
    await mine.responses.retrieve(id);
    await mine.responses.delete(id);
    expect(await rejection(mine.responses.retrieve(id))).toEqual(notFound);
    expect(rows()).toHaveLength(1);
  });

  test.each([
    ["streamed", { stream: true }, {}],
    ["repeated by its key", {}, { "Idempotency-Key": "a" }],
  ])("that is %s is known before its client can use it", async (_name, fields, headers) => {
    const { origin, token, mine, theirs } = await start();
    const options = { headers: { authorization: `Bearer ${token}`, ...headers } };
    const stream = await openStream(`${origin}/v1/responses`, { ...asked, ...fields }, options);
    const id = /resp_\d+/.exec(await stream.text())?.[0] ?? "";
    expect(await rejection(theirs.responses.retrieve(id))).toEqual(notFound);
    expect(await mine.responses.retrieve(id)).toMatchObject({ id });
  });

  test("is known while its stream is open, also if that begins with a comment", async () => {
    const { origin, token, mine, upstream } = await start();
    const created = { type: "response.created", response: { id: "resp_late" } };
    const begin: Behaviour = {
      name: "begin",
      run: async ({ request, response, write }) => {
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        for (let comment = 0; comment < 20; comment += 1) await write(": alive\n\n");
        await write(`data: ${JSON.stringify(created)}\n\n`);
      },
    };
    upstream.behave((request) => (request.method === "POST" ? begin : service(request)));
    const options = { headers: { authorization: `Bearer ${token}` } };
    const stream = await openStream(`${origin}/v1/responses`, { ...asked, stream: true }, options);
    for await (const data of stream.events) {
      expect(data).toContain("resp_late");
      break;
    }
    expect(await mine.responses.retrieve("resp_late")).toMatchObject({ id: "resp_late" });
    stream.hangUp();
  });

  test("that is large is known, too", async () => {
    const { origin, token, mine, upstream } = await start();
    const large = { id: "resp_large", object: "response", status: "completed" };
    const output = [
      { type: "message", content: [{ type: "output_text", text: "a".repeat(200_000) }] },
    ];
    upstream.behave((request) =>
      request.method === "POST" ? tell({ ...large, output }) : service(request),
    );
    const headers = { authorization: `Bearer ${token}` };
    expect((await postJson(`${origin}/v1/responses`, asked, { headers })).status).toBe(200);
    expect(await rejection(mine.responses.retrieve("resp_large"))).toBe("nothing");
  });

  test("that is not stored is nobody's", async () => {
    const { mine } = await start();
    const { id } = await mine.responses.create({ ...asked, store: false });
    expect(await rejection(mine.responses.retrieve(id))).toEqual(notFound);
  });

  test("is streamed again from an event on, and its query travels", async () => {
    const { mine, upstream, paths, rows } = await start({ STREAM_LIMIT: "1" });
    const { id } = await mine.responses.create(asked);
    const event = { type: "response.completed", sequence_number: 5, response: { id } };
    upstream.behave(sendPieces([`event: response.completed\ndata: ${JSON.stringify(event)}\n\n`]));
    const include = ["reasoning.encrypted_content" as const];
    for (let times = 0; times < 2; times += 1) {
      const query = { stream: true, starting_after: 4, include } as const;
      const stream = await mine.responses.retrieve(id, query);
      expect(await Array.fromAsync(stream)).toEqual([event]);
    }
    const url = new URL(paths().at(-1)?.split(" ")[1] ?? "", "http://x");
    expect(url.pathname).toBe(`/v1/responses/${id}`);
    expect(url.searchParams.get("stream")).toBe("true");
    expect(url.searchParams.get("starting_after")).toBe("4");
    expect([...url.searchParams.keys()].some((name) => name.startsWith("include"))).toBe(true);
    expect(rows()).toHaveLength(1);
  });

  test("that is streamed again counts as an open stream", async () => {
    const { mine, upstream, origin, token } = await start({ STREAM_LIMIT: "1" });
    const { id } = await mine.responses.create(asked);
    const begin: Behaviour = {
      name: "begin",
      run: async ({ request, response, write }) => {
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        await write('data: {"type":"response.in_progress","sequence_number":1}\n\n');
      },
    };
    upstream.behave(begin);
    const options = { method: "GET", headers: { authorization: `Bearer ${token}` } };
    const url = `${origin}/v1/responses/${id}?stream=true`;
    const first = await openStream(url, undefined, options);
    const second = await postJson(url, undefined, options);
    expect([second.status, errorOf(second).code]).toEqual([429, "streams_limited"]);
    first.hangUp();
  });

  test("keeps the service's refusals and their words", async () => {
    const { mine, upstream, origin, token } = await start();
    const { id } = await mine.responses.create(asked);
    const error = {
      message: "already done",
      type: "invalid_request_error",
      param: null,
      code: null,
    };
    upstream.behave({
      name: "refuse",
      run: ({ response }) => {
        response.writeHead(409, { "content-type": "application/json" });
        response.end(JSON.stringify({ error }));
      },
    });
    const headers = { authorization: `Bearer ${token}` };
    const reply = await postJson(`${origin}/v1/responses/${id}/cancel`, undefined, { headers });
    expect([reply.status, errorOf(reply).message]).toEqual([409, "already done"]);
  });
});

describe("a conversation", () => {
  test.each(withConversation)("%s by its token alone", async (_name, use) => {
    const { mine, theirs, own, upstream } = await start();
    const { id } = await mine.conversations.create({ metadata: { a: "b" } });
    const before = upstream.requests.length;
    expect(await rejection(use(theirs, id))).toEqual(notFound);
    expect(upstream.requests).toHaveLength(before);
    expect(await rejection(use(mine, id))).toBe("nothing");
    expect(await rejection(use(own, id))).toBe("nothing");
    expect(upstream.requests).toHaveLength(before + 2);
  });

  test("passes what it is given, and names the field of another's", async () => {
    const { mine, theirs, paths, upstream } = await start();
    const { id } = await mine.conversations.create();
    const items = [{ type: "message" as const, role: "user" as const, content: "ü 1.50" }];
    await mine.conversations.items.create(id, { items });
    expect(upstream.requests.at(-1)?.json).toEqual({ items });
    await mine.conversations.items.list(id, { limit: 2, order: "asc", after: "msg_1" });
    expect(paths().at(-1)).toMatch(/^GET \/v1\/conversations\/conv_1\/items\?/);
    const refused = theirs.responses.create({ ...asked, conversation: { id } });
    await expect(refused).rejects.toMatchObject({ param: "conversation.id" });
  });

  test("hides no other behind it", async () => {
    const { mine, origin, other, upstream, theirs } = await start();
    const { id } = await mine.conversations.create();
    upstream.behave((request) =>
      request.path === "/v1/conversations" ? tell({ id: "conv_2" }) : service(request),
    );
    await theirs.conversations.create();
    const options = {
      headers: { authorization: `Bearer ${other.token}`, "content-type": "application/json" },
    };
    const send = (text: string) => postJson(`${origin}/v1/responses`, Buffer.from(text), options);
    const head = `{"model":"${MODEL}","input":"a"`;
    const twice = await send(`${head},"conversation":{"id":"${id}","id":"conv_2"}}`);
    expect([twice.status, upstream.requests.at(-1)?.bodyText]).toEqual([
      200,
      expect.not.stringContaining(id),
    ]);
    const alike = await send(`${head},"Previous_Response_Id":"resp_1"}`);
    expect([alike.status, upstream.requests.at(-1)?.bodyText]).toEqual([
      200,
      expect.not.stringContaining("resp_1"),
    ]);
    const named = await send(`${head},"conversation":{"id":"conv_2","Id":"${id}"}}`);
    expect([named.status, errorOf(named).param]).toEqual([400, "conversation.Id"]);
    const listed = await send(`${head},"previous_response_id":["resp_1"]}`);
    expect(listed.status).toBe(400);
  });
});

test("compacting bills as a call, counting is free and only for models that the token may use", async () => {
  const { mine, rows, upstream, issue, client } = await start();
  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  const counted = await mine.responses.inputTokens.count({ ...asked });
  expect([counted.input_tokens, rows().length]).toEqual([7, 0]);
  await expect(mine.responses.inputTokens.count({ model: "unpriced" })).rejects.toMatchObject({
    status: 404,
  });
  upstream.behave(tell({ id: "resp_c", object: "response.compaction", output: [], usage }));
  await mine.responses.compact({ model: MODEL, input: "Hello?" });
  expect(rows()).toMatchObject([
    { total_tokens: 15, provenance: "reported", outcome: "completed" },
  ]);
  const bound = await issue({ models: "gpt-4o" });
  const refused = client(bound.token).responses.compact({ model: MODEL, input: "Hello?" });
  await expect(refused).rejects.toMatchObject({ status: 403, code: "model_forbidden" });
});

test("what is free counts in the windows of its token, and gives nothing away", async () => {
  const { issue, client, paths } = await start({ MINUTE_LIMIT: "100" });
  const { token } = await issue({ minute_limit: 2 });
  const { id } = await client(token).responses.create(asked);
  await client(token).responses.retrieve(id);
  for (const work of [
    client(token).responses.retrieve(id),
    client(token).conversations.create(),
    client(token).responses.inputTokens.count(asked),
  ]) {
    expect(await rejection(work)).toEqual([429, "rate_limit_exceeded"]);
  }
  expect(paths()).toHaveLength(2);
});

test("what another upstream keeps is asked for there, under its own name of the model", async () => {
  const { origin, mine, theirs, paths } = await start();
  const there = await startAlone({ behaviour: service });
  await admin(origin, "POST", "/upstreams", {
    name: "there",
    url: there.url,
    keys: ["sk-there-1"],
  });
  await admin(origin, "PUT", "/routes/smart", { to: "there:gpt-4o" });
  for (const model of ["smart", "gpt-4o"]) {
    await admin(origin, "PUT", `/prices/${model}`, { input: "1", output: "2" });
  }
  const seen = () => there.requests.map(({ method, path }) => `${method} ${path}`);
  const { id } = await mine.responses.create({ model: "smart", input: "Hello?" });
  await mine.responses.retrieve(id);
  const next = { model: "smart", input: "And?", previous_response_id: id };
  const stream = await mine.responses.create({ ...next, stream: true });
  const events = await Array.fromAsync(stream);
  const [first] = events.flatMap((event) => (event.type === "response.created" ? event : []));
  await mine.responses.retrieve(first?.response.id ?? "");
  await mine.responses.create({ ...next, model: "gpt-4o" });
  await mine.responses.inputTokens.count({ model: "smart", input: "Hello?" });
  await mine.responses.delete(id);
  expect(await rejection(theirs.responses.create(next))).toEqual(notFound);
  expect(paths()).toEqual([]);
  expect(seen()).toEqual([
    "POST /v1/responses",
    `GET /v1/responses/${id}`,
    "POST /v1/responses",
    `GET /v1/responses/${first?.response.id}`,
    "POST /v1/responses",
    "POST /v1/responses/input_tokens",
    `DELETE /v1/responses/${id}`,
  ]);
  const models = there.requests.flatMap(({ json }) => Reflect.get(Object(json), "model") ?? []);
  expect(models).toEqual(["gpt-4o", "gpt-4o", "gpt-4o", "gpt-4o"]);
  for (const { headers } of there.requests) expect(headers.authorization).toBe("Bearer sk-there-1");
  const { id: conversation } = await mine.conversations.create();
  expect(await rejection(mine.responses.create({ ...next, conversation }))).toEqual(notFound);
});

test("what belongs to the account of one of several keys is found there", async () => {
  const { mine, upstream } = await start({ API_KEY: "sk-first-0123456789,sk-other-0123456789" });
  const makers = new Map<string, unknown>();
  const error = { message: "not here", type: "invalid_request_error", param: null };
  const refused = (status: number, code: string | null): Behaviour => ({
    name: "refuse",
    run: ({ response }) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { ...error, code } }));
    },
  });
  upstream.behave((request) => {
    const { authorization } = request.headers;
    const previous: unknown = Reflect.get(Object(request.json), "previous_response_id");
    const id = String(previous ?? request.path.split("/")[3]);
    if (makers.has(id) && makers.get(id) !== authorization) {
      return previous === undefined
        ? refused(404, null)
        : refused(400, "previous_response_not_found");
    }
    makers.set(`resp_${request.serial}`, authorization);
    return service(request);
  });
  for (let round = 0; round < 4; round += 1) {
    const { id } = await mine.responses.create(asked);
    await mine.responses.retrieve(id);
    await mine.responses.create({ ...asked, previous_response_id: id });
  }
  expect(new Set(makers.values()).size).toBe(2);
  upstream.behave(refused(404, null));
  const gone = mine.responses.retrieve([...makers.keys()][0] ?? "");
  await expect(gone).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining("not here"),
  });
});

test("a token with another key of its own has lost what the first one kept", async () => {
  const { issue, client, parley, origin } = await start();
  const { id, token } = await issue({ upstream_key: "sk-first-0123456789" });
  const made = await client(token).responses.create(asked);
  expect(await rejection(client(token).responses.retrieve(made.id))).toBe("nothing");
  const headers = { authorization: `Bearer ${parley.config.ADMIN_TOKEN}` };
  const change = { upstream_key: "sk-other-0123456789" };
  await postJson(`${origin}/admin/tokens/${id}`, change, { method: "PATCH", headers });
  expect(await rejection(client(token).responses.retrieve(made.id))).toEqual(notFound);
});

test.each(["%2e%2e", "a%2F..%2Fb"])("%s is no id", async (id) => {
  const { origin, token, upstream } = await start();
  const options = { method: "GET", headers: { authorization: `Bearer ${token}` } };
  for (const kind of ["responses", "conversations"]) {
    const reply = await postJson(`${origin}/v1/${kind}/${id}`, undefined, options);
    expect(reply.status).toBe(404);
  }
  expect(upstream.requests).toEqual([]);
});
