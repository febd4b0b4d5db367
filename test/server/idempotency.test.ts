/** A call that its client repeats on another copy. */
import { expect, test } from "vitest";
import { heldUntil } from "../support/held.ts";
import { askNamed, startTwoCopies } from "../support/named-calls.ts";
import { until } from "../support/process.ts";

test("a repeated call gets the answer of another copy, under way and afterwards", {
  tags: "redis",
}, async () => {
  const gate = Promise.withResolvers<void>();
  const { first, second, upstream } = await startTwoCopies({ behaviour: heldUntil(gate.promise) });
  const asked = askNamed(first, "order-1");
  await upstream.waitFor(() => upstream.requests.length === 1, {
    label: "the first copy asks",
    timeoutMs: 10_000,
  });
  const waits = askNamed(second, "order-1");
  const isOpen = async () => (await second.metric("parley_open_calls")) > 0;
  await until(isOpen, { label: "the second copy waits", timeoutMs: 10_000 });
  gate.resolve();
  const replies = [await asked, await waits, await askNamed(second, "order-1")];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  expect(upstream.requests).toHaveLength(1);
  const other = await askNamed(second, "order-2");
  expect(other.status).toBe(200);
  expect(upstream.requests).toHaveLength(2);
});
