/** An operator hears once that an upstream is left alone, and once that it is back. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { refuse } from "../support/faults.ts";
import { until } from "../support/process.ts";
import { startRouted } from "../support/routed.ts";
import { createAnswer } from "../support/upstream.ts";
import { ALERT_SECRET, startReceiver } from "../support/webhooks.ts";

test("a target that opens and closes is told with its reason, and no secret", async () => {
  const receiver = closeAfterFile(await startReceiver());
  let passedMs = 0;
  // the receiver judges timestamps by its own clock
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
  const env = { ALERT_URL: receiver.url, ALERT_SECRET, RETRIES: "0" };
  const { add, route, price, token, chat } = await startRouted(env, { clock });
  const first = await add("first");
  await add("second");
  await route("alias", "first:a; second:b");
  await price("alias");
  const key = await token();
  first.behave(refuse(500));
  for (let call = 0; call < 8; call++) await chat("alias", key);
  const arrived = (count: number) =>
    until(() => receiver.received.length >= count, { label: "webhooks", timeoutMs: 20_000 });
  await arrived(1);
  first.behave(createAnswer());
  passedMs = 7_000;
  await chat("alias", key);
  await arrived(2);
  const target = { upstream: "first", model: "a" };
  expect(receiver.received.map(({ type, data }) => ({ type, data }))).toEqual([
    { type: "upstream.open", data: { ...target, reason: "upstream_failed" } },
    { type: "upstream.closed", data: target },
  ]);
  expect(receiver.forged).toBe(0);
  expect(receiver.received.map(({ raw }) => raw).join()).not.toMatch(/sk-of/);
});
