/** Calls are shared by weight, also among those that stand in for a target that does not answer. */
import { expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { startRouted } from "../../support/routed.ts";
import { answer } from "../../support/upstream.ts";

const missing = refuse(404, { message: "The model `m` does not exist" });

async function scene(names: readonly string[], to: string) {
  const routed = await startRouted({ RETRIES: "0" });
  await routed.price("alias");
  const upstreams = await Promise.all(names.map((name) => routed.add(name)));
  await routed.route("alias", to);
  const key = await routed.token();
  /** Which part of the calls each upstream has answered. */
  const shares = async (calls: number) => {
    const answered = new Map(names.map((name) => [name, 0]));
    for (let call = 0; call < calls; call += 1) {
      const name = String((await routed.chat("alias", key)).headers["x-parley-upstream"]);
      answered.set(name, (answered.get(name) ?? 0) + 1);
    }
    return names.map((name) => (answered.get(name) ?? 0) / calls);
  };
  return { ...routed, upstreams, shares };
}

test("the next resort shares what comes to it by its weights, though that be every second call", async () => {
  const { upstreams, shares } = await scene(["a", "b", "c"], "a:m; b:m, c:m");
  upstreams[0]?.behave(({ serial }) => (serial % 2 === 0 ? missing : answer));
  expect(await shares(40)).toEqual([0.5, 0.25, 0.25]);
});

test("the other alternatives share the calls of one that does not have the model", async () => {
  const { upstreams, shares } = await scene(["a", "b", "c"], "a:m@2, b:m, c:m");
  upstreams[0]?.behave(missing);
  const [a, b = 0, c = 0] = await shares(40);
  expect(a).toBe(0);
  expect(Math.abs(b - c)).toBeLessThan(0.1);
});

test("an upstream may be named twice, with two models", async () => {
  const { upstreams, shares } = await scene(["a", "b"], "a:m@3, a:n, b:m@4");
  expect(await shares(40)).toEqual([0.5, 0.5]);
  const models = upstreams[0]?.requests.map(({ json }) => (json as { model: string }).model) ?? [];
  expect(models.filter((model) => model === "m")).toHaveLength(15);
});

test("a target's name that is a route itself is asked as it stands", async () => {
  const { upstreams, route, shares } = await scene(["a", "b"], "a:next");
  await route("next", "b:m");
  expect(await shares(2)).toEqual([1, 0]);
  expect(upstreams[0]?.requests.map(({ json }) => json)).toMatchObject([
    { model: "next" },
    { model: "next" },
  ]);
});
