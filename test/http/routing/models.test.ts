/** What is routed is listed, and shown by its name. */
import { expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { type Routed, startRouted } from "../../support/routed.ts";
import { OWN_KEY } from "../../support/scene.ts";

const DEFAULT_MODELS = ["gpt-4o-mini", "gpt-4o"];

async function scene(): Promise<Routed> {
  const routed = await startRouted({ RETRIES: "0" });
  await routed.add("first", { models: ["listed"] });
  await routed.route("fast", "first:a; default:gpt-4o-mini");
  await routed.route("elsewhere", "first:a");
  for (const model of [...DEFAULT_MODELS, "a", "listed"]) await routed.price(model);
  return routed;
}

async function modelsOf({ parley }: Routed, key: string, id = "") {
  const headers = { authorization: `Bearer ${key}` };
  const url = `${parley.origin}/v1/models${id}`;
  const { status, json } = await postJson(url, undefined, { method: "GET", headers });
  return { status, json: json as { data?: { id: string }[] } };
}

const idsIn = ({ json }: Awaited<ReturnType<typeof modelsOf>>) => json.data?.map(({ id }) => id);

test("a token sees routes, lists, and the default upstream's models that have prices", async () => {
  const routed = await scene();
  const seen = idsIn(await modelsOf(routed, await routed.token()));
  expect(seen).toEqual(expect.arrayContaining(["fast", "elsewhere", "listed", "gpt-4o-mini"]));
  await routed.route("unpriced", "first:of-no-price");
  const few = await routed.token({ models: ["fast", "unpriced"] });
  expect(idsIn(await modelsOf(routed, few))).toEqual(["fast"]);
});

test("a caller with an own key sees what that key may reach", async () => {
  const routed = await scene();
  const seen = idsIn(await modelsOf(routed, OWN_KEY));
  expect(seen).toEqual(expect.arrayContaining(["fast", "gpt-4o-mini"]));
  for (const other of ["elsewhere", "listed"]) expect(seen).not.toContain(other);
});

test("a route is a model by its id; what the principal may not use is not there", async () => {
  const routed = await scene();
  const key = await routed.token({ models: ["fast"] });
  expect(await modelsOf(routed, key, "/fast")).toMatchObject({ status: 200, json: { id: "fast" } });
  expect((await modelsOf(routed, key, "/elsewhere")).status).toBe(404);
  expect((await modelsOf(routed, OWN_KEY, "/elsewhere")).status).toBe(404);
});

test("the list of routes needs no default upstream", async () => {
  const routed = await scene();
  routed.base.behave(refuse(500));
  const reply = await modelsOf(routed, await routed.token());
  expect([reply.status, idsIn(reply)?.sort()]).toEqual([200, ["elsewhere", "fast", "listed"]]);
});
