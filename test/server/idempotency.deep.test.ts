/** A copy that dies while it asks. It takes the time of a lease. */
import { expect, test } from "vitest";
import { heldUntil } from "../support/held.ts";
import { askNamed, startTwoCopies } from "../support/named-calls.ts";

test("a repeated call is told that the copy that asked has died, and then asks anew", {
  tags: "redis",
  timeout: 90_000,
}, async () => {
  const gate = Promise.withResolvers<void>();
  const { first, second, upstream } = await startTwoCopies({ behaviour: heldUntil(gate.promise) });
  const asked = askNamed(first, "order-1").catch(() => "cut off");
  await upstream.waitFor(() => upstream.requests.length === 1, {
    label: "the first copy asks",
    timeoutMs: 10_000,
  });
  first.signal("SIGKILL");
  expect(await asked).toBe("cut off");
  const lost = await askNamed(second, "order-1");
  expect([lost.status, JSON.parse(lost.text)]).toMatchObject([
    409,
    { error: { type: "invalid_request_error", code: "idempotency_lost" } },
  ]);
  gate.resolve();
  expect((await askNamed(second, "order-1")).status).toBe(200);
  expect(upstream.requests).toHaveLength(2);
});
