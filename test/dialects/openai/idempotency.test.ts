/** A client that asks again with the same Idempotency-Key pays once. */
import { describe, expect, test } from "vitest";
import { LightSignal } from "../../../src/core/call/call.ts";
import type { StoredResponse } from "../../../src/core/ports.ts";
import { createIdempotent } from "../../../src/http/call/idempotency.ts";
import { createMemoryIdempotency } from "../../../src/limits/memory-idempotency.ts";
import { refuse, sequence } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { answer, type Behaviour } from "../../support/upstream.ts";
import { bearer, errorOf, question, startTokenScene, WAIT_MS } from "./support.ts";

const headers = { "idempotency-key": "order-1" };
const other = { ...question, temperature: 0.5 };

/** Answers once the gate is open. */
const after = (gate: Promise<void>): Behaviour => ({
  name: "after a gate",
  run: async (exchange) => {
    await gate;
    if (!exchange.gone.aborted) await answer.run(exchange);
  },
});

describe.concurrent("a call with an Idempotency-Key", () => {
  test("that is repeated gets the same bytes and asks the upstream once", async () => {
    const scene = await startTokenScene();
    const first = await scene.ask(question, { headers });
    const again = await scene.ask(question, { headers });
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(again.headers["x-request-id"]).not.toBe(first.headers["x-request-id"]);
    expect(scene.upstream.requests).toHaveLength(1);
    expect(scene.rows()).toHaveLength(1);
    const key = { "idempotency-key": "order-2" };
    expect((await scene.ask(question, { headers: key })).text).not.toBe(first.text);
    expect((await scene.ask()).text).not.toBe(first.text);
    expect(scene.upstream.requests).toHaveLength(3);
  });

  test.each([
    ["of 9,000 characters", "k".repeat(9_000)],
    ["beyond ASCII", "заказ-1"],
  ])("%s is remembered like any other", async (_, name) => {
    const scene = await startTokenScene();
    const named = { "idempotency-key": Buffer.from(name).toString("latin1") };
    const texts = [];
    for (let at = 0; at < 2; at += 1) {
      texts.push((await scene.ask(question, { headers: named })).text);
    }
    expect(texts[0]).toBe(texts[1]);
    expect(scene.upstream.requests).toHaveLength(1);
  });

  test("that is empty is a call without one", async () => {
    const scene = await startTokenScene();
    for (let at = 0; at < 2; at += 1) {
      const empty = { "idempotency-key": "" };
      expect((await scene.ask(question, { headers: empty })).status).toBe(200);
    }
    expect(scene.upstream.requests).toHaveLength(2);
  });

  test("that is repeated with another body or elsewhere is refused", async () => {
    const scene = await startTokenScene();
    await scene.ask(question, { headers });
    const refused = await scene.ask(other, { headers });
    expect([refused.status, errorOf(refused)]).toMatchObject([
      422,
      { type: "invalid_request_error", code: "idempotency_mismatch" },
    ]);
    const url = `${scene.parley.origin}/v1/responses`;
    const body = { model: question.model, input: "Hello?" };
    const all = { ...headers, ...bearer(scene.token) };
    expect((await postJson(url, body, { headers: all })).status).toBe(422);
    expect(scene.upstream.requests).toHaveLength(1);
  });

  test("that is repeated meanwhile shares the answer that is under way", async () => {
    const gate = Promise.withResolvers<void>();
    const scene = await startTokenScene({}, { behaviour: after(gate.promise) });
    const calls = Array.from({ length: 20 }, () => scene.ask(question, { headers }));
    await scene.upstream.waitFor(() => scene.upstream.open() === 1, {
      label: "the upstream is asked",
      timeoutMs: WAIT_MS,
    });
    gate.resolve();
    const replies = await Promise.all(calls);
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(replies[0]?.status).toBe(200);
    expect(scene.upstream.requests).toHaveLength(1);
    expect(scene.rows()).toHaveLength(1);
  });

  test("is answered although the client that asked first has left", async () => {
    const gate = Promise.withResolvers<void>();
    const scene = await startTokenScene({}, { behaviour: after(gate.promise) });
    const gone = new AbortController();
    const first = scene.ask(question, { headers, signal: gone.signal }).catch(() => "left");
    await scene.upstream.waitFor(() => scene.upstream.requests.length === 1, {
      label: "the first asks",
      timeoutMs: WAIT_MS,
    });
    const others = [scene.ask(question, { headers }), scene.ask(question, { headers })];
    // a request that is refused has been read after those that came before it
    expect((await scene.ask(other, { headers })).status).toBe(422);
    gone.abort();
    expect(await first).toBe("left");
    await scene.upstream.waitFor(() => scene.upstream.closedEarly.count === 1, {
      label: "the first call ends",
      timeoutMs: WAIT_MS,
    });
    gate.resolve();
    const replies = await Promise.all(others);
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(replies[0]?.text).toBe(replies[1]?.text);
    expect(scene.upstream.requests).toHaveLength(2);
  });

  test("is another's business where the key is the same", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue();
    const callers = [scene.token, token, "sk-own-of-one", "sk-own-of-another"];
    const replies = await Promise.all(
      callers.map((one) =>
        postJson(scene.chat, question, { headers: { ...headers, ...bearer(one) } }),
      ),
    );
    expect(new Set(replies.map(({ text }) => text)).size).toBe(callers.length);
    expect(scene.upstream.requests).toHaveLength(callers.length);
    const differs = { ...headers, ...bearer("sk-own-of-a-third") };
    expect((await postJson(scene.chat, other, { headers: differs })).status).toBe(200);
  });

  test("that failed is asked again, also with another body", async () => {
    const scene = await startTokenScene(
      {},
      { behaviour: sequence([refuse(500), refuse(400), answer]) },
    );
    const statuses: number[] = [];
    for (const body of [question, other, question]) {
      statuses.push((await scene.ask(body, { headers })).status);
    }
    expect(statuses).toEqual([502, 400, 200]);
  });

  test("is a call of its own where it streams", async () => {
    const scene = await startTokenScene();
    const streamed = { ...question, stream: true };
    const texts = [
      (await scene.ask(streamed, { headers })).text,
      (await scene.ask(streamed, { headers })).text,
      (await scene.ask(question, { headers })).text,
    ];
    expect(new Set(texts).size).toBe(3);
    expect(scene.upstream.requests).toHaveLength(3);
  });

  test("takes its token no further place in a quota, and needs a token that still counts", async () => {
    const scene = await startTokenScene();
    const { token } = await scene.issue({ requests_per_day: 1 });
    const ask = () => postJson(scene.chat, question, { headers: { ...headers, ...bearer(token) } });
    const statuses = [(await ask()).status, (await ask()).status];
    const without = await postJson(scene.chat, question, { headers: bearer(token) });
    expect([...statuses, without.status]).toEqual([200, 200, 429]);
    const unknown = { ...headers, ...bearer(`${token}x`) };
    expect((await postJson(scene.chat, question, { headers: unknown })).status).toBe(401);
  });
});

const MAX_MS = 900_000;
const principal = { kind: "visitor", bucket: "192.0.2.1" } as const;
const request = {
  method: "POST",
  path: "/chat/completions",
  body: "{}",
  streamed: false,
  hideUsage: false,
} as const;

test("answers that were forgotten while they were under way take no room from later ones", async () => {
  const idempotent = createIdempotent(
    createMemoryIdempotency(createHeldClock()),
    (key) => key,
    MAX_MS,
  );
  const response = (size: number) => ({
    status: 200,
    contentType: "application/json",
    bytes: new Uint8Array(size),
  });
  const gate = Promise.withResolvers<StoredResponse>();
  const once = (key: string, ask: () => Promise<StoredResponse>) =>
    idempotent({ principal, signal: new LightSignal(), key, headers: {}, request }, ask);
  // more at once than are remembered, each as large as a sixteenth of the room for all
  const crowd = Array.from({ length: 1_100 }, (_, index) => once(`${index}`, () => gate.promise));
  gate.resolve(response(1_048_576));
  await Promise.all(crowd);
  let asked = 0;
  const ask = async () => {
    asked += 1;
    return response(1);
  };
  for (const key of ["a", "b", "c", "a", "b", "c"]) await once(key, ask);
  expect(asked).toBe(3);
});
