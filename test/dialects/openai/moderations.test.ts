import { expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { bearer, createClient, errorOf, setPrice, startTokenScene } from "./support.ts";

const DEFAULT = "omni-moderation-latest";
const OTHER = "text-moderation-latest";

async function start(env: Readonly<Record<string, string>> = {}) {
  const scene = await startTokenScene(env);
  await setPrice(scene.parley.origin, DEFAULT);
  await setPrice(scene.parley.origin, OTHER);
  const moderate = (body: unknown, credential: string) =>
    postJson(`${scene.parley.origin}/v1/moderations`, body, { headers: bearer(credential) });
  return { ...scene, moderate };
}

test.each([{ input: "x" }, { input: "x", model: null }, { input: "x", model: "" }])(
  "a token's %j takes MODERATION_MODEL: upstream, in its row and in its models",
  async (body) => {
    const scene = await start({ MODERATION_MODEL: OTHER });
    const { token } = await scene.issue({ models: [OTHER] });
    expect((await scene.moderate(body, token)).status).toBe(200);
    expect(scene.upstream.requests.map(({ json }) => json)).toEqual([{ input: "x", model: OTHER }]);
    expect(scene.rows().at(-1)).toMatchObject({ model: OTHER, outcome: "completed" });
    const { token: narrow } = await scene.issue({ models: [DEFAULT] });
    const refused = await scene.moderate(body, narrow);
    expect([refused.status, errorOf(refused)]).toEqual([
      403,
      expect.objectContaining({ code: "model_forbidden", param: "model" }),
    ]);
  },
);

test("a model that the request names stays, and large numbers too", async () => {
  const scene = await start();
  await scene.moderate({ input: "x", model: OTHER }, scene.token);
  await scene.moderate('{"input":"x","seed":12345678901234567890}', scene.token);
  expect(scene.upstream.requests.map(({ bodyText }) => bodyText)).toEqual([
    `{"input":"x","model":"${OTHER}"}`,
    `{"input":"x","seed":12345678901234567890,"model":"${DEFAULT}"}`,
  ]);
});

test("a model without a price is refused, although nobody named it", async () => {
  const scene = await start({ MODERATION_MODEL: "unpriced" });
  const reply = await scene.moderate({ input: "x" }, scene.token);
  expect([reply.status, errorOf(reply).code]).toEqual([400, "model_not_priced"]);
  expect(scene.upstream.requests).toEqual([]);
});

test("a caller's own key lets the service choose", async () => {
  const scene = await start();
  expect((await scene.moderate('{"input": "x"}', OWN_KEY)).status).toBe(200);
  expect(scene.upstream.requests.map(({ bodyText }) => bodyText)).toEqual(['{"input": "x"}']);
});

test("the official client needs to name no model", async () => {
  const { parley, token } = await start();
  for (const credential of [token, OWN_KEY]) {
    const { results } = await createClient(`${parley.origin}/v1`, credential).moderations.create({
      input: "x",
    });
    expect(results).toHaveLength(1);
  }
});
