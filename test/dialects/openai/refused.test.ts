/** A call that admission refuses leaves its model and the reason in the log. */
import { expect, test } from "vitest";
import { MODEL, question, startTokenScene } from "./support.ts";

test.each([
  ["model_not_priced", "gpt-5.4-nano", {}],
  ["model_forbidden", MODEL, { models: ["another"] }],
  ["quota_exceeded", MODEL, { tokens_per_day: 1 }],
  ["rate_limited", MODEL, { minute_limit: 1 }],
])("%s is logged with the model %s, streamed or not", async (error, model, fields) => {
  const scene = await startTokenScene();
  const { token } = await scene.issue(fields);
  const headers = { authorization: `Bearer ${token}` };
  if (error === "rate_limited") await scene.ask(question, { headers });
  for (const stream of [false, true]) {
    const reply = await scene.ask({ ...question, model, stream }, { headers });
    const line = await scene.parley.logged(String(reply.headers["x-request-id"]));
    expect(JSON.parse(line)).toMatchObject({ model, error, outcome: "refused" });
  }
  expect(scene.rows().filter(({ outcome }) => outcome === "refused")).toEqual([]);
});

test("refused models are warned of once, with the command that helps", async () => {
  const { parley, ask } = await startTokenScene({ LANG: "ru_RU" });
  for (const model of ["nano", "nano", "codex"]) await ask({ ...question, model });
  const line = JSON.parse(await parley.logged("models_not_priced"));
  expect(line).toMatchObject({ level: 40, warning: "models_not_priced", models: ["nano"] });
  expect(line.msg).toMatch(/^Отклонены .*nano.*parley price set MODEL/);
  expect(parley.log.filter((one) => one.includes("models_not_priced"))).toHaveLength(1);
});
