/** A target that keeps failing is left alone for a while, and comes back by itself. */
import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../core/virtual-clock.ts";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { startRouted } from "../../support/routed.ts";
import { answer, createAnswer } from "../../support/upstream.ts";

const SECOND = 1_000;

async function scene() {
  const clock = createVirtualClock();
  const routed = await startRouted({ RETRIES: "0", LOG_LEVEL: "silent" }, { clock });
  await routed.price("alias");
  return { ...routed, clock };
}

describe("a target that fails", () => {
  test("rests after five failures in a row; then one call probes it, and it is back", async () => {
    const { add, route, token, chat, clock } = await scene();
    const first = await add("first");
    const second = await add("second");
    await route("alias", "first:a; second:b");
    const key = await token();
    first.behave(refuse(500));
    for (let call = 0; call < 8; call++) expect((await chat("alias", key)).status).toBe(200);
    expect([first.requests.length, second.requests.length]).toEqual([5, 8]);

    // still ill: the probe alone is lost, and the rest is longer
    clock.advance(6 * SECOND + 1);
    for (let call = 0; call < 4; call++) await chat("alias", key);
    expect(first.requests).toHaveLength(6);
    clock.advance(6 * SECOND + 1);
    await chat("alias", key);
    expect(first.requests).toHaveLength(6);

    first.behave(createAnswer());
    clock.advance(6 * SECOND);
    const names = [];
    for (let call = 0; call < 3; call++) {
      names.push((await chat("alias", key)).headers["x-parley-upstream"]);
    }
    expect(names).toEqual(["first", "first", "first"]);
  });

  test("answers 503 with the wait when every target rests", async () => {
    const { add, route, token, chat } = await scene();
    const first = await add("first");
    await route("alias", "first:a");
    const key = await token();
    first.behave(refuse(500));
    for (let call = 0; call < 5; call++) expect((await chat("alias", key)).status).toBe(502);
    const reply = await chat("alias", key);
    expect([reply.status, reply.json]).toMatchObject([
      503,
      { error: { code: "upstream_unavailable" } },
    ]);
    expect(Number(reply.headers["retry-after"])).toBeGreaterThanOrEqual(4);
    expect(Number(reply.headers["retry-after"])).toBeLessThanOrEqual(6);
    expect(reply.headers["x-parley-upstream"]).toBeUndefined();
    expect(first.requests).toHaveLength(5);
  });

  test("does not rest for refusals: of a request, a model, a key or a rate", async () => {
    const { add, route, token, chat } = await scene();
    const first = await add("first");
    await add("second");
    await route("alias", "first:a; second:b");
    const key = await token();
    for (const status of [400, 404, 422, 403]) {
      first.behave(refuse(status));
      for (let call = 0; call < 6; call++) await chat("alias", key);
    }
    expect(first.requests).toHaveLength(24);
    first.behave(createAnswer());
    expect((await chat("alias", key)).headers["x-parley-upstream"]).toBe("first");
  });

  test("rests alone: another model of its upstream is asked", async () => {
    const { add, route, token, chat, parley } = await scene();
    const first = await add("first");
    await route("alias", "first:ill; first:well");
    const key = await token();
    first.behave(({ json }) =>
      (json as { model: string }).model === "ill" ? refuse(500) : answer,
    );
    for (let call = 0; call < 8; call++) expect((await chat("alias", key)).status).toBe(200);
    const asked = first.requests.map(({ json }) => (json as { model: string }).model);
    expect(asked.filter((model) => model === "ill")).toHaveLength(5);
    const { json } = await postJson(`${parley.origin}/readyz`, undefined, { method: "GET" });
    expect(json).toMatchObject({
      degraded: ["upstreams"],
      upstreams: { default: "closed", first: "open" },
    });
  });

  test("is asked all the same where it is the only one that there is", async () => {
    const { base, chat, token, price } = await scene();
    await price("model-of-nobody");
    const key = await token();
    base.behave(refuse(500));
    for (let call = 0; call < 8; call++) {
      expect((await chat("model-of-nobody", key)).status).toBe(502);
    }
    expect(base.requests).toHaveLength(8);
  });
});

test("a key that was turned down waits behind the next resort", async () => {
  const { add, route, token, chat } = await scene();
  const first = await add("first");
  await add("second");
  await route("alias", "first:a; second:b");
  const key = await token();
  first.behave(refuse(429));
  for (let call = 0; call < 3; call++) await chat("alias", key);
  expect(first.requests).toHaveLength(1);
});

test("alternatives share calls by their weights, and what is left shares the rest", async () => {
  const { add, route, token, chat } = await scene();
  const upstreams = await Promise.all(["a", "b", "c"].map((name) => add(name)));
  await route("alias", "a:m@6, b:m@3, c:m");
  const key = await token();
  const share = async (calls: number) => {
    const before = upstreams.map(({ requests }) => requests.length);
    for (let call = 0; call < calls; call++) await chat("alias", key);
    return upstreams.map(({ requests }, at) => (requests.length - before[at]!) / calls);
  };
  expect(await share(100)).toEqual([0.6, 0.3, 0.1]);
  upstreams[0]?.behave(refuse(500));
  await share(9);
  const [, b = 0, c = 0] = await share(40);
  expect(b).toBeCloseTo(0.75, 1);
  expect(c).toBeCloseTo(0.25, 1);
});
