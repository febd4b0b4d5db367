import { expect, test } from "vitest";
import { createUnpricedModels } from "../../../src/core/accounts/unpriced-models.ts";
import type { CallRecord } from "../../../src/core/ports.ts";

const MINUTE_MS = 60_000;

function start() {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const told: (readonly string[])[] = [];
  const notice = createUnpricedModels(clock, (models) => told.push(models));
  const refuse = (model: string, error: CallRecord["error"] = "model_not_priced") =>
    notice({ model, error } as CallRecord); // as much as it reads
  return { clock, told, refuse };
}

test("the first refusal is told at once, those of the next hour together", () => {
  const { clock, told, refuse } = start();
  for (const model of ["nano", "nano", "codex"]) refuse(model);
  clock.nowMs = 59 * MINUTE_MS;
  refuse("other");
  expect(told).toEqual([["nano"]]);
  clock.nowMs = 60 * MINUTE_MS;
  refuse("nano");
  expect(told).toEqual([["nano"], ["nano", "codex", "other"]]);
});

test("calls that end otherwise are not its business", () => {
  const { told, refuse } = start();
  refuse("gpt-4o", null);
  refuse("gpt-4o", "model_forbidden");
  expect(told).toEqual([]);
});

test("names are cut, without keys, and few", () => {
  const { clock, told, refuse } = start();
  refuse(`sk-abcdefghijklmnop0123456789${"x".repeat(500)}`);
  for (let n = 0; n < 100; n += 1) refuse(`model-${n}`);
  clock.nowMs = 60 * MINUTE_MS;
  refuse("last");
  expect(told[0]?.join()).not.toContain("sk-abcdefghijklmnop0123456789");
  expect(told[1]).toHaveLength(20);
});
