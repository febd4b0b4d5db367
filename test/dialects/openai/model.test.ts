import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import {
  bearer,
  createClient,
  errorOf,
  MODEL,
  setPrice,
  startTokenScene,
  tell,
} from "./support.ts";

const SLASHED = "meta-llama/Llama-3.1-8B";

async function start(env: Readonly<Record<string, string>> = {}) {
  const scene = await startTokenScene(env);
  const show = (path: string, credential = scene.token) =>
    postJson(`${scene.parley.origin}/v1/models/${path}`, undefined, {
      method: "GET",
      headers: bearer(credential),
    });
  return { ...scene, show };
}

describe("one model", () => {
  test("is the service's own object, for a token and for an own key", async () => {
    const { show, token, upstream, rows } = await start();
    for (const [credential, sent] of [
      [token, OPERATOR_KEY],
      [OWN_KEY, OWN_KEY],
    ] as const) {
      const { status, json } = await show(MODEL, credential);
      expect([status, json]).toEqual([
        200,
        expect.objectContaining({ id: MODEL, object: "model" }),
      ]);
      const last = upstream.requests.at(-1);
      expect([last?.path, last?.headers.authorization]).toEqual([
        `/v1/models/${MODEL}`,
        `Bearer ${sent}`,
      ]);
    }
    expect(rows()).toEqual([]);
  });

  test.each([
    ["a slash", SLASHED, SLASHED],
    ["an encoded slash", SLASHED, "meta-llama%2FLlama-3.1-8B"],
    ["colons", "ft:gpt-4o-mini:org::9x", "ft:gpt-4o-mini:org::9x"],
    ["encoded colons", "ft:gpt-4o-mini:org::9x", "ft%3Agpt-4o-mini%3Aorg%3A%3A9x"],
    ["a percent sign, a blank and more", "a%20 b?#ü", "a%2520%20b%3F%23%C3%BC"],
    ["an at sign", "@cf/qwen", "@cf/qwen"],
  ])("whose id has %s is found by that id", async (_what, id, path) => {
    const { show, upstream, parley, token } = await start();
    upstream.behave(tell({ id, object: "model" }));
    expect((await show(path)).status).toBe(404);
    expect(upstream.requests).toEqual([]);
    await setPrice(parley.origin, encodeURIComponent(id));
    for (const credential of [token, OWN_KEY]) {
      expect((await show(path, credential)).json).toEqual({ id, object: "model" });
      const asked = upstream.requests.at(-1)?.path ?? "";
      expect(decodeURIComponent(asked)).toBe(`/v1/models/${id}`);
      // services differ in which of the two they know
      expect(asked.includes("%2F")).toBe(path.includes("%2F"));
    }
  });

  test("is not there for a token that may not use it, as if it did not exist", async () => {
    const { show, issue, upstream } = await start({ ALLOWED_MODELS: "gpt-4o" });
    const { token: narrow } = await issue({ models: ["gpt-3.5-turbo-instruct"] });
    const seen = [await show("gpt-4o"), await show(MODEL, narrow), await show("nowhere")];
    for (const reply of seen) {
      expect([reply.status, errorOf(reply)]).toEqual([
        404,
        expect.objectContaining({
          type: "invalid_request_error",
          code: "model_not_found",
          param: "model",
        }),
      ]);
    }
    expect(errorOf(seen[0] as never).message).toContain("gpt-4o");
    expect(upstream.requests).toEqual([]);
  });

  test.each(["%2e%2e%2Ffiles", "a/%2e%2e%2Ffiles", "a%2F%2Fb", "%ff", "%2F"])(
    "is never another path of the service: %s",
    async (path) => {
      const { show, upstream } = await start();
      const reply = await show(path, OWN_KEY);
      expect([reply.status, errorOf(reply).code]).toEqual([404, "model_not_found"]);
      expect(upstream.requests).toEqual([]);
    },
  );

  test("that the service does not know is its 404, in its words", async () => {
    const { show } = await start();
    const reply = await show("unknown", OWN_KEY);
    expect([reply.status, errorOf(reply).code]).toEqual([404, "model_not_found"]);
    expect(errorOf(reply).message).toBe("The model 'unknown' does not exist");
  });

  test("has one name in the log and the metrics, whatever its id", async () => {
    const { show, parley } = await start();
    const reply = await show(SLASHED);
    const line = JSON.parse(await parley.logged(String(reply.headers["x-request-id"])));
    expect(line).toMatchObject({ route: "openai GET /v1/models/:model" });
  });

  test("is found by the official client", async () => {
    const { parley, token } = await start();
    const client = createClient(`${parley.origin}/v1`, token);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL });
    await expect(client.models.retrieve(SLASHED)).rejects.toThrow(/404/);
  });
});
