/** Model tokens per minute and open calls of a token. */
import { describe, expect, test } from "vitest";
import { heldUntil } from "../../support/held.ts";
import { openStream, postJson } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { readRateLimits } from "../../support/rate-limit-headers.ts";
import { bearer, errorOf, question, startTokenScene, WAIT_MS } from "./support.ts";

const HOUR = { HOUR_LIMIT: "50" };

async function start(
  fields: object,
  options: Parameters<typeof startTokenScene>[1] = {},
  env: Readonly<Record<string, string>> = {},
) {
  const scene = await startTokenScene({ ...HOUR, ...env }, options);
  const { token } = await scene.issue(fields);
  const headers = bearer(token);
  return {
    scene,
    headers,
    ask: (more: object = {}) => postJson(scene.chat, { ...question, ...more }, { headers }),
    leftOfAddress: async () => {
      const { json } = await postJson(`${scene.parley.origin}/whoami`, undefined, {
        method: "GET",
      });
      return (json as { windows: { remaining: number }[] }).windows[0]?.remaining;
    },
  };
}

describe.concurrent("model tokens per minute", () => {
  test("are reserved by estimate, settled by usage, and refused with the wait", async () => {
    const { ask, leftOfAddress } = await start({ tokens_per_minute: 1_000 });
    expect((await ask({ max_tokens: 900 })).status).toBe(200);
    // the answer had a few tokens, and the rest was given back
    expect((await ask({ max_tokens: 900 })).status).toBe(200);
    const replies = await Promise.all([ask({ max_tokens: 700 }), ask({ max_tokens: 700 })]);
    const refused = replies.find(({ status }) => status === 429);
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 429]);
    if (refused === undefined) return;
    expect(errorOf(refused)).toMatchObject({
      type: "tokens",
      code: "rate_limit_exceeded",
      limit: 1_000,
    });
    expect(Number(refused.headers["retry-after"])).toBeLessThanOrEqual(60);
    expect(refused.headers["x-should-retry"]).toBeUndefined();
    expect(await leftOfAddress()).toBe(47);
  });

  test("refuse a call that is larger than all of them for good", async () => {
    const { ask, scene, leftOfAddress } = await start({ tokens_per_minute: 500 });
    const refused = await ask({ max_tokens: 501 });
    expect(refused.status).toBe(429);
    expect(errorOf(refused)).toMatchObject({ type: "tokens", code: "rate_limit_exceeded" });
    expect(errorOf(refused).message).toContain("max_tokens");
    expect(refused.headers["x-should-retry"]).toBe("false");
    expect(refused.headers["retry-after"]).toBeUndefined();
    expect(scene.upstream.requests).toHaveLength(0);
    expect(await leftOfAddress()).toBe(50);
  });

  test("get back what a call had reserved that the service refused", async () => {
    const behaviour = {
      name: "refuse",
      run: async ({ response }: { response: import("node:http").ServerResponse }) => {
        response.writeHead(400, { "content-type": "application/json" });
        response.end(JSON.stringify({ error: { message: "no", type: "invalid_request_error" } }));
      },
    };
    const { ask } = await start({ tokens_per_minute: 1_000 }, { behaviour });
    for (let call = 0; call < 3; call += 1) {
      expect((await ask({ max_tokens: 900 })).status).toBe(400);
    }
  });

  test("get back what a quota refuses, and quotas what they refuse", async () => {
    const { ask, leftOfAddress } = await start({ tokens_per_minute: 1_000, requests_per_day: 1 });
    expect((await ask({ max_tokens: 900 })).status).toBe(200);
    for (let call = 0; call < 3; call += 1) {
      expect(errorOf(await ask({ max_tokens: 900 })).code).toBe("insufficient_quota");
    }
    expect(await leftOfAddress()).toBe(49);
  });
});

describe.concurrent("open calls of a token", () => {
  test("are bounded, streams until their end", async () => {
    const go = Promise.withResolvers<void>();
    const { scene, ask, headers, leftOfAddress } = await start(
      { concurrency: 2, minute_limit: 3 },
      { behaviour: heldUntil(go.promise) },
    );
    const body = { ...question, stream: true };
    const stream = await openStream(scene.chat, body, { headers });
    const whole = ask();
    await until(() => scene.upstream.requests.length === 2, {
      label: "both are asked",
      timeoutMs: WAIT_MS,
    });
    for (let call = 0; call < 3; call += 1) {
      const refused = await ask();
      expect([refused.status, errorOf(refused)]).toMatchObject([
        429,
        { code: "rate_limit_exceeded", limit: 2 },
      ]);
      expect(refused.headers["retry-after"]).toBe("1");
      expect(readRateLimits(refused.headers)[0]?.remaining).toBe(48);
    }
    go.resolve();
    await stream.text();
    expect((await whole).status).toBe(200);
    // the refused ones took nothing from the window of three
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
    expect(await leftOfAddress()).toBe(47);
  });

  test("have room again when a client has left", async () => {
    const go = Promise.withResolvers<void>();
    const { scene, ask, headers } = await start(
      { concurrency: 1 },
      { behaviour: heldUntil(go.promise) },
    );
    const stream = await openStream(scene.chat, { ...question, stream: true }, { headers });
    expect((await ask()).status).toBe(429);
    stream.hangUp();
    go.resolve();
    await until(() => scene.rows().length === 1, {
      label: "the row is written",
      timeoutMs: WAIT_MS,
    });
    expect((await ask()).status).toBe(200);
  });

  test("are open until an answer is read to its end for a client that has left", async () => {
    const go = Promise.withResolvers<void>();
    const { scene, ask, headers } = await start(
      { concurrency: 1 },
      { behaviour: heldUntil(go.promise) },
      { ON_DISCONNECT: "drain:30" },
    );
    const stream = await openStream(scene.chat, { ...question, stream: true }, { headers });
    stream.hangUp();
    await until(() => scene.parley.parley.openCalls.count === 0, {
      label: "the client has left",
      timeoutMs: WAIT_MS,
    });
    expect((await ask()).status).toBe(429);
    go.resolve();
    await until(() => scene.rows().length === 1, { label: "the row", timeoutMs: WAIT_MS });
    expect((await ask()).status).toBe(200);
  });

  test("of another token are its own", async () => {
    const go = Promise.withResolvers<void>();
    const { scene, headers } = await start(
      { concurrency: 1 },
      { behaviour: heldUntil(go.promise) },
    );
    const stream = await openStream(scene.chat, { ...question, stream: true }, { headers });
    const other = await openStream(
      scene.chat,
      { ...question, stream: true },
      {
        headers: bearer(scene.token),
      },
    );
    expect([stream.status, other.status]).toEqual([200, 200]);
    go.resolve();
    await Promise.all([stream.text(), other.text()]);
  });
});
