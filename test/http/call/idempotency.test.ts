import { expect, test } from "vitest";
import { LightSignal } from "../../../src/core/call/call.ts";
import type { NamedCall } from "../../../src/core/ports.ts";
import { createIdempotent } from "../../../src/http/call/idempotency.ts";
import { responseOf } from "../../limits/fixtures/named-calls.ts";

const bucket = "192.0.2.1";
const key = "order-1";
const request = {
  method: "POST",
  path: "/chat/completions",
  body: "{}",
  streamed: false,
  hideUsage: false,
} as const;
const found = { token: { id: "7" }, upstreamKey: () => null } as never; // as much as a name reads

/** How a call reaches the store. */
async function namedBy(principal: object, headers = {}): Promise<NamedCall> {
  const calls: NamedCall[] = [];
  const store = {
    once: async (call: NamedCall, ask: () => Promise<ReturnType<typeof responseOf>>) => {
      calls.push(call);
      return ask();
    },
  };
  const idempotent = createIdempotent(store, () => "digest", 5_000);
  const call = { principal: principal as never, signal: new LightSignal(), key, headers, request };
  await idempotent(call, async () => responseOf("answer"));
  return calls[0]!;
}

test.each([
  ["Authorization", { authorization: "Bearer parley-secret" }],
  ["access-token", { "access-token": "parley-secret" }],
])("a call with a token in %s is sealed with it", async (_, headers) => {
  const named = await namedBy({ kind: "token", bucket, found }, headers);
  expect(named).toMatchObject({ seal: "parley-secret", bucket, maxMs: 5_000 });
  expect(JSON.stringify({ ...named, seal: "" })).not.toMatch(/parley-secret|order-1/);
});

test("a call with a key of its own is sealed with it", async () => {
  const named = await namedBy({ kind: "own-key", bucket, key: "sk-own" });
  expect(named.seal).toBe("sk-own");
  expect(JSON.stringify({ ...named, seal: "" })).not.toMatch(/sk-own|order-1/);
});

test("a visitor's call is sealed with the Idempotency-Key, for its address", async () => {
  const named = await namedBy({ kind: "visitor", bucket });
  expect(named.seal).toContain(key);
  expect(named.seal).toContain(bucket);
  expect(named.name).not.toContain(key);
});
