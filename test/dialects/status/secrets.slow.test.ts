import { describe, expect, test } from "vitest";
import { refuse, resetBeforeHeaders, resetMidStream } from "../../support/faults.ts";
import { postJson, rawExchange, type SendOptions } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";
import type { Behaviour } from "../../support/upstream.ts";

/** Both kinds matter: what looks like a key is also caught by a filter, the other is not. */
const canaries = {
  "shaped like a key": "sk-proj-CaNaRyQwErTyUiOpAsDfGhXYZ",
  "not shaped like a key": "plover-quagmire-58127-zither",
};

/** Upstreams that repeat what they were sent, as real ones do. */
const gossip: Behaviour = {
  name: "repeats the request in its refusal",
  run: (exchange) => {
    const { headers, bodyText } = exchange.request;
    const message = `${headers.authorization} said ${bodyText}`;
    return refuse(500, { message }).run(exchange);
  },
};
const refuseKey: Behaviour = {
  name: "quotes the key",
  run: (exchange) => {
    const message = `Incorrect API key provided: ${exchange.request.headers.authorization}`;
    return refuse(401, { message }).run(exchange);
  },
};

function mentions(texts: readonly string[], canary: string): string[] {
  return texts.filter((text) => text.toLowerCase().includes(canary.toLowerCase()));
}

describe.concurrent.each(Object.entries(canaries))("a secret %s", (_shape, canary) => {
  const question = { user_content: "hi" };
  const places: [string, object, Record<string, string>][] = [
    ["api_key", { ...question, api_key: canary }, {}],
    ["api_key with a line break in it", { ...question, api_key: `${canary}\nx` }, {}],
    ["api_key in Chinese", { ...question, api_key: `${canary}密` }, {}],
    ["api_key of a wrong type", { ...question, api_key: [canary] }, {}],
    ["a field's name", { ...question, [canary]: canary }, {}],
    ["a wrong field's value", { user_content: [canary], max_tokens: canary }, {}],
    ["a turn's role", { ...question, continuous: [{ role: canary, content: canary }] }, {}],
    ["a turn's field", { ...question, continuous: [{ [canary]: canary }] }, {}],
    ["a model that is not allowed", { ...question, model: canary }, {}],
    ["stream", { ...question, stream: canary }, {}],
    ["Authorization", question, { authorization: `Bearer ${canary}` }],
    ["Authorization with a blank", question, { authorization: `Bearer ${canary} x` }],
    ["Authorization without Bearer", question, { authorization: canary }],
    ["Api-Key", question, { "api-key": canary }],
    ["openai-token", question, { "openai-token": canary }],
    ["X-Request-Id", question, { "x-request-id": canary }],
    ["User-Agent", question, { "user-agent": canary }],
    ["Referer", question, { referer: `http://x/?key=${canary}` }],
    ["Cookie", question, { cookie: `key=${canary}` }],
    ["Accept-Language", question, { "accept-language": canary }],
    ["Content-Type", question, { "content-type": `text/${canary}` }],
    ["Content-Encoding", question, { "content-encoding": canary }],
    ["X-Forwarded-For", question, { "x-forwarded-for": canary }],
    ["Host", question, { host: canary.toLowerCase() }],
    ["a header's name", question, { [canary]: "x" }],
  ];
  const behaviours = [gossip, refuseKey, resetBeforeHeaders];

  test("sent by a client in any place comes out nowhere", async () => {
    const { parley, url, upstream } = await startScene({
      LOG_LEVEL: "debug",
      ALLOWED_MODELS: "gpt-4o-mini",
    });
    const shown: string[] = [];
    const send = async (to: string, body: unknown, options: SendOptions): Promise<void> => {
      const { status, headers, text } = await postJson(to, body, options);
      shown.push(`${status} ${JSON.stringify(headers)} ${text}`);
    };
    for (const behaviour of behaviours) {
      upstream.behave(behaviour);
      const sent = places.flatMap(([, body, headers]) => [
        send(url, body, { headers }),
        send(url, { ...body, stream: true }, { headers }),
      ]);
      await Promise.all(sent);
    }
    for (const [method, path] of [
      ["POST", `?api_key=${canary}`],
      ["GET", `?key=${canary}`],
      ["GET", canary],
      ["POST", `${canary}/x`],
      ["PUT", canary],
      ["DELETE", `?${canary}`],
      ["OPTIONS", canary],
    ] as const) {
      await send(url + path, undefined, { method });
    }
    for (const path of ["healthz", "readyz", "whoami", "metrics"]) {
      const headers = { authorization: `Bearer ${canary}`, cookie: canary };
      await send(url + path, undefined, { method: "GET", headers });
    }
    for (const bytes of [
      `${canary} / HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET /${canary} HTTP/9.9\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\n${canary}: \u0000\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${canary}@${canary}/\r\n\r\n`,
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{"api_key":"${canary}`,
    ]) {
      const options = { timeoutMs: 5_000, idleMs: 50, label: "an answer" };
      shown.push(await rawExchange(parley.port, bytes, options).catch(() => ""));
    }
    shown.push((await postJson(`${url}metrics`, undefined, { method: "GET" })).text);
    await parley.logged('"route":"status GET /metrics"');

    expect(shown.length).toBeGreaterThan(100);
    expect(mentions(shown, canary)).toEqual([]);
    expect(mentions(parley.log, canary)).toEqual([]);
    expect(parley.log.length).toBeGreaterThan(100);
  });

  test("of the operator's comes out nowhere", async () => {
    const token = `${canary}-token`;
    const { parley, url, upstream } = await startScene({
      LOG_LEVEL: "debug",
      API_KEY: `${canary}-one,${canary}-two`,
      METRICS_TOKEN: token,
    });
    const shown: string[] = [];
    for (const behaviour of behaviours) {
      upstream.behave(behaviour);
      for (const stream of [false, true]) {
        const { headers, text } = await postJson(url, { ...question, stream });
        shown.push(JSON.stringify(headers), text);
      }
    }
    upstream.behave(resetMidStream);
    const broken = await postJson(url, { ...question, stream: true });
    shown.push(JSON.stringify(broken.headers), broken.text);
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ["healthz", "readyz", "whoami", "metrics", "nowhere"]) {
      const reply = await postJson(url + path, undefined, { method: "GET", headers });
      shown.push(JSON.stringify(reply.headers), reply.text);
    }
    await parley.logged('"status":404');
    expect(upstream.requests[0]?.headers.authorization).toContain(canary);
    expect(mentions(shown, canary)).toEqual([]);
    expect(mentions(parley.log, canary)).toEqual([]);
  });

  test("in a proxy's address comes out nowhere when the proxy fails", async () => {
    for (const scheme of ["http", "socks5"]) {
      const { parley, url } = await startScene({
        LOG_LEVEL: "debug",
        OPENAI_PROXY: `${scheme}://${canary}:${canary}@127.0.0.1:1`,
      });
      const replies = [
        await postJson(url, question),
        await postJson(url, { ...question, stream: true }),
      ];
      for (const { status, headers, text } of replies) {
        expect(status).toBe(502);
        expect(JSON.stringify(headers) + text).not.toContain(canary);
      }
      await parley.logged('"msg":"request"');
      expect(parley.log.join("")).not.toContain(canary);
    }
  });

  test("for a model's name is in the good answer alone, and in the log when it looks harmless", async () => {
    const { parley, url } = await startScene({ LOG_LEVEL: "debug" });
    const { text } = await postJson(url, { ...question, model: canary });
    expect(text.split(canary)).toHaveLength(2);
    const line = await parley.logged('"msg":"request"');
    expect(line.includes(canary)).toBe(!canary.startsWith("sk-"));
    const metrics = await postJson(`${url}metrics`, undefined, { method: "GET" });
    expect(metrics.text).not.toContain(canary);
  });
});
