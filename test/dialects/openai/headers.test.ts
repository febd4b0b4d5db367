/** Only headers on a list travel, either way. */
import { describe, expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { bearer, question, startTokenScene } from "./support.ts";

const foreign = {
  "openai-organization": "org-of-the-client",
  "openai-project": "proj_of_the_client",
  "openai-beta": "assistants=v2",
  cookie: "session=canary",
  "x-forwarded-for": "203.0.113.9",
  forwarded: "for=203.0.113.9",
  "x-real-ip": "203.0.113.9",
  "user-agent": "canary-agent/1",
  "accept-language": "de",
  "x-stainless-lang": "js",
  "x-anything": "canary",
  "access-token": "canary-password",
  referer: "http://canary.example/",
  origin: "http://canary.example",
  te: "trailers",
};
/** All that the upstream is told. */
const sent = [
  "accept",
  "accept-encoding",
  "authorization",
  "connection",
  "content-length",
  "content-type",
  "host",
  "user-agent",
];
const kept = [
  "openai-organization",
  "openai-processing-ms",
  "openai-version",
  "set-cookie",
  "server",
  "x-powered-by",
];

describe.concurrent("headers", () => {
  test("of a client stay here, but for what the upstream needs", async () => {
    const scene = await startTokenScene();
    for (const body of [question, { ...question, stream: true }]) {
      expect((await scene.ask(body, { headers: foreign })).status).toBe(200);
    }
    const models = { method: "GET", headers: { ...foreign, ...bearer(scene.token) } };
    await postJson(`${scene.parley.origin}/v1/models`, undefined, models);
    expect(scene.upstream.requests).toHaveLength(3);
    for (const { headers } of scene.upstream.requests) {
      const unknown = Object.keys(headers).filter((name) => !sent.includes(name));
      expect(unknown).toEqual([]);
      expect(headers["user-agent"]).toMatch(/^parley\/\d+\.\d+\.\d+/);
      expect(headers["accept-encoding"]).toBe("identity");
      expect(JSON.stringify(headers)).not.toMatch(/canary|203\.0|of_the_client|org-of/);
    }
  });

  test("of a caller with a key of their own name who pays for it", async () => {
    const scene = await startTokenScene();
    const { origin } = scene.parley;
    const headers = { "api-key": "sk-own-of-a-caller", ...foreign };
    await postJson(scene.chat, question, { headers });
    await postJson(scene.chat, { ...question, stream: true }, { headers });
    await postJson(`${origin}/`, { user_content: "hi" }, { headers });
    await postJson(`${origin}/ask/new`, { prompt: "hi" }, { headers });
    await postJson(`${origin}/v1/models`, undefined, { method: "GET", headers });
    const pays = {
      "openai-organization": "org-of-the-client",
      "openai-project": "proj_of_the_client",
    };
    expect(scene.upstream.requests).toHaveLength(5);
    for (const { headers: told } of scene.upstream.requests) {
      expect(told).toMatchObject(pays);
      expect(JSON.stringify(told)).not.toMatch(/canary|203\.0/);
    }
    const odd = {
      "api-key": "sk-own",
      "openai-organization": "org é",
      "openai-project": "x".repeat(600),
    };
    expect((await postJson(scene.chat, question, { headers: odd })).status).toBe(200);
    expect(Object.keys(scene.upstream.requests.at(-1)?.headers ?? {})).toEqual(
      expect.not.arrayContaining(Object.keys(pays)),
    );
  });

  test("of the upstream stay there; ours say how the caller stands", async () => {
    const scene = await startTokenScene({ MINUTE_LIMIT: "9", HOUR_LIMIT: "100" });
    const replies = [
      await scene.ask(),
      await scene.ask({ ...question, stream: true }),
      await postJson(`${scene.parley.origin}/v1/models`, undefined, {
        method: "GET",
        headers: bearer(scene.token),
      }),
      await scene.ask({}),
      await postJson(scene.chat, question),
    ];
    scene.upstream.behave(refuse(400));
    replies.push(await scene.ask());
    scene.upstream.behave(refuse(500));
    replies.push(await scene.ask());
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 400, 401, 400, 502]);
    for (const [index, { headers }] of replies.entries()) {
      expect(Object.keys(headers).filter((name) => kept.includes(name))).toEqual([]);
      expect(headers).toMatchObject({
        "x-ratelimit-limit-requests": "9",
        "x-ratelimit-remaining-requests": String(8 - index),
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
      });
      expect(headers["x-ratelimit-reset-requests"]).toMatch(/^(\d+m)?\d+(s|ms)$/);
      expect(headers["x-request-id"]).not.toMatch(/^req_/);
      expect(headers["x-request-id"]).toMatch(/^req-\w{10}-[0-9a-z]+$/);
      expect(headers["access-control-expose-headers"]).toContain("x-ratelimit-limit-requests");
      expect(headers.ratelimit).toContain('"minute"');
    }
  });

  test("of limits are not there where nothing is limited, not even the upstream's", async () => {
    const scene = await startTokenScene();
    for (const body of [question, { ...question, stream: true }]) {
      const { headers } = await scene.ask(body);
      expect(Object.keys(headers).filter((name) => name.startsWith("x-ratelimit"))).toEqual([]);
    }
  });

  test("of a stream keep proxies from holding it back", async () => {
    const scene = await startTokenScene();
    const { headers } = await scene.ask({ ...question, stream: true });
    expect(headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(headers["cache-control"]).toContain("no-transform");
    expect(headers["x-accel-buffering"]).toBe("no");
  });
});
