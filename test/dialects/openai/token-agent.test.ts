/** Clients of the token agent: `POST /chat` with a token, and what `GET /data/week` tells. */
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import { admin, bearer, startTokenScene } from "./support.ts";

const model = "gpt-3.5-turbo-0301";
const asked = "how are you?";
/** As its README shows a request, with our own words in it. */
const body = JSON.stringify({
  model,
  messages: [
    { role: "user", content: "你好" },
    { role: "assistant", content: "你好!有什么可以帮你?" },
    { role: "user", content: asked },
  ],
  temperature: 0.7,
});
const prompt = "你好".length + "你好!有什么可以帮你?".length + asked.length;
const written = `echo: ${asked}`.length;
/** Dollars per 1,000 tokens there, per million here. */
const price = (prompt * 1.5 + written * 2) / 1_000_000;

const startAgent = async () => {
  const scene = await startTokenScene();
  await admin(scene.parley.origin, "PUT", `/prices/${model}`, { input: "1.5", output: "2" });
  const chat = (token: string, text: string, type = "application-json") =>
    postJson(`${scene.parley.origin}/chat`, text, {
      headers: { ...bearer(token), "content-type": type },
    });
  const read = async (token: string, path: string) => {
    const headers = bearer(token);
    const reply = await postJson(scene.parley.origin + path, undefined, { method: "GET", headers });
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json");
    return reply.json as Record<string, unknown>[] & Record<string, Record<string, unknown>[]>;
  };
  return { ...scene, chat, read };
};

describe.concurrent("a client of the token agent", () => {
  test("posts to /chat as its README has it and gets the upstream's answer", async () => {
    const scene = await startAgent();
    const reply = await scene.chat(scene.token, body);
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({
      id: "chatcmpl-1",
      choices: [{ message: { content: `echo: ${asked}` } }],
      usage: { prompt_tokens: prompt, completion_tokens: written },
    });
    const [request] = scene.upstream.requests;
    expect(request?.path).toBe("/v1/chat/completions");
    expect(request?.bodyText).toBe(body);
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${OPERATOR_KEY}`,
      "content-type": "application/json",
    });
  });

  test("may say any content type, or ask for a stream", async () => {
    const scene = await startAgent();
    for (const type of [
      "",
      "text/plain",
      "application/json",
      "application/x-www-form-urlencoded",
    ]) {
      expect((await scene.chat(scene.token, body, type)).status).toBe(200);
    }
    const streamed = await scene.chat(scene.token, body.replace("{", '{"stream":true,'));
    expect(streamed.text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(await scene.read(scene.token, "/data/week")).toHaveLength(5);
  });

  test("finds its calls of the week with their true prices, and nobody else does", async () => {
    const scene = await startAgent();
    const before = Math.floor(Date.now() / 1_000);
    await scene.chat(scene.token, body);
    await scene.chat(scene.token, body);
    const week = await scene.read(scene.token, "/data/week");
    const row = { model, total_token: prompt + written, price, timestamp: expect.any(Number) };
    expect(week).toEqual([
      { ...row, remote_id: "chatcmpl-2" },
      { ...row, remote_id: "chatcmpl-1" },
    ]);
    for (const { timestamp } of week) {
      expect(timestamp).toBeGreaterThanOrEqual(before);
      expect(timestamp).toBeLessThanOrEqual(Date.now() / 1_000);
    }
    const other = await scene.issue();
    expect(await scene.read(other.token, "/data/week")).toEqual([]);
    expect(await scene.read(other.token, "/usage")).toMatchObject({
      last_30_days: [],
      last: [],
      quotas: [],
      limits: [],
      by_day: [],
      by_model: [],
      calls: [],
    });
  });

  test("sees sums by day and by model and its own rows at /usage", async () => {
    const scene = await startAgent();
    const other = await scene.issue();
    await scene.chat(other.token, body);
    await scene.chat(scene.token, body);
    await scene.chat(scene.token, body.replace("{", '{"stream":true,'));
    await scene.ask();
    const usage = await scene.read(scene.token, "/usage");
    const total = prompt + written;
    expect(usage.by_day).toMatchObject([{ requests: 3, calls_of_unknown_cost: 0 }]);
    expect(usage.by_day?.[0]?.day).toBe(new Date().toISOString().slice(0, 10));
    const sum = usage.by_model?.find((one) => one.model === model);
    expect(sum).toMatchObject({
      requests: 2,
      prompt_tokens: 2 * prompt,
      completion_tokens: 2 * written,
      total_tokens: 2 * total,
    });
    expect(Number(sum?.cost)).toBeCloseTo(2 * price, 12);
    expect(usage.calls).toHaveLength(3);
    expect(usage.calls?.[1]).toMatchObject({ model, total_tokens: total, outcome: "completed" });
  });

  test("is shown nothing for an own key, which has no account here", async () => {
    const scene = await startAgent();
    for (const path of ["/usage", "/data/week"]) {
      const reply = await postJson(scene.parley.origin + path, undefined, {
        method: "GET",
        headers: bearer(OWN_KEY),
      });
      expect(reply.status).toBe(401);
    }
  });
});
