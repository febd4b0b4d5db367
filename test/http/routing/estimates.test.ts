/** Usage that never came is estimated by the model that was asked, whatever clients call it. */
import { expect, test } from "vitest";
import { usageMissing } from "../../support/faults.ts";
import { startRouted } from "../../support/routed.ts";

test("an alias for a model that thinks costs as much as the model by its own name", async () => {
  const { add, route, token, chat, price, storage } = await startRouted({ RETRIES: "0" });
  for (const model of ["o3", "fast"]) await price(model);
  const first = await add("first", { models: ["o3"] });
  first.behave(usageMissing);
  await route("fast", "first:o3");
  const key = await token();
  for (const model of ["o3", "fast"]) await chat(model, key, { max_tokens: 1_000 });
  const used = (await storage.ledger.rows()).map(({ totalTokens }) => totalTokens ?? 0);
  expect(used).toHaveLength(2);
  for (const tokens of used) expect(tokens).toBeGreaterThan(1_000);
});

test("an alias that sounds like a model that thinks is estimated by what has passed", async () => {
  const { add, route, token, chat, price, storage } = await startRouted({ RETRIES: "0" });
  for (const model of ["plain", "deep-thinking"]) await price(model);
  const first = await add("first", { models: ["plain"] });
  first.behave(usageMissing);
  await route("deep-thinking", "first:plain");
  const key = await token();
  for (const model of ["plain", "deep-thinking"]) await chat(model, key, { max_tokens: 1_000 });
  const used = (await storage.ledger.rows()).map(({ totalTokens }) => totalTokens ?? 0);
  expect(used).toHaveLength(2);
  for (const tokens of used) expect(tokens).toBeLessThan(100);
});
