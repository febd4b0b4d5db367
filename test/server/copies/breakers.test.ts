/** Copies that share a store leave a failing upstream alone together. */
import { expect, onTestFinished, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { startParley } from "../../support/parley.ts";
import { startRedis } from "../../support/redis.ts";
import { startRouted } from "../../support/routed.ts";

test("five failures over two copies open it for both", { tags: "redis" }, async () => {
  const store = await startRedis();
  onTestFinished(() => store.close());
  const env = { REDIS_URL: store.url, RETRIES: "0" };
  const { parley, base, add, route, token, price } = await startRouted(env);
  const { DATA_DIR, SECRET_KEY } = parley.config;
  const settings = { ...env, OPENAI_URL: base.url, DATA_DIR, SECRET_KEY: SECRET_KEY.join() };
  const other = await startParley(settings);
  onTestFinished(() => other.close());
  const first = await add("first");
  await add("second");
  await route("alias", "first:a; second:b");
  await price("alias");
  const key = await token();
  first.behave(refuse(500));
  const ask = async ({ origin }: { readonly origin: string }) => {
    const question = { model: "alias", messages: [{ role: "user", content: "Hello?" }] };
    const headers = { authorization: `Bearer ${key}` };
    const reply = await postJson(`${origin}/v1/chat/completions`, question, { headers });
    return reply.headers["x-parley-upstream"];
  };
  for (let call = 0; call < 10; call++) {
    expect(await ask(call % 2 === 0 ? parley : other)).toBe("second");
  }
  // the other copy hears of it with its own next failure, or a second later
  expect(first.requests.length).toBeLessThanOrEqual(6);
});
