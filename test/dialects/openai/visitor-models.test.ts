/** What `/v1/models` tells callers without a credential. */
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";
import { errorOf, MODEL } from "./support.ts";

async function listFor(
  env: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const { parley, upstream } = await startScene(env);
  const url = `${parley.origin}/v1/models`;
  const reply = await postJson(url, undefined, { method: "GET", headers });
  return { reply, upstream };
}

const idsOf = (json: unknown) => Object(json).data.map(({ id }: { id: string }) => id);
const ALLOWED_MODELS = "gpt-4o, gpt-4.1";

describe("a visitor's list of models", () => {
  test("has what the operator allows, without asking the service", async () => {
    const { reply, upstream } = await listFor({ MODEL, ALLOWED_MODELS });
    expect(reply.status).toBe(200);
    expect(idsOf(reply.json)).toEqual([MODEL, "gpt-4o", "gpt-4.1"]);
    expect(Object(reply.json)).toMatchObject({
      object: "list",
      data: [{ object: "model" }, {}, {}],
    });
    expect(upstream.requests).toEqual([]);
  });

  test("names the usual model once, and has the form of the client's language", async () => {
    const models = `gpt-4o,${MODEL}`;
    const headers = { "anthropic-version": "2023-06-01" };
    const { reply } = await listFor({ MODEL, ALLOWED_MODELS: models }, headers);
    expect(Object(reply.json)).toMatchObject({
      data: [{ type: "model", id: MODEL }, { id: "gpt-4o" }],
      has_more: false,
      first_id: MODEL,
      last_id: "gpt-4o",
    });
  });

  test.each([
    ["any model is allowed", {}],
    ["no key is shared", { API_KEY: "", ALLOWED_MODELS }],
    ["the key is for tokens", { SHARED_KEY: "token", ALLOWED_MODELS }],
  ])("is refused where %s", async (_where, env) => {
    const { reply, upstream } = await listFor(env);
    expect([reply.status, typeof errorOf(reply).message]).toEqual([401, "string"]);
    expect(upstream.requests).toEqual([]);
  });

  test("counts as a call of the address", async () => {
    const { parley } = await startScene({ ALLOWED_MODELS, MINUTE_LIMIT: "1" });
    const list = () => postJson(`${parley.origin}/v1/models`, undefined, { method: "GET" });
    expect((await list()).status).toBe(200);
    expect((await list()).status).toBe(429);
  });
});
