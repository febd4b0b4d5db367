/** A target that can't be asked what the client asks: nothing is sent there, and it is as if it were not there. */
import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../core/virtual-clock.ts";
import { refuse } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { startRouted } from "../../support/routed.ts";
import { answer } from "../../support/upstream.ts";

async function scene(env: Readonly<Record<string, string>> = {}) {
  const clock = createVirtualClock();
  const routed = await startRouted({ RETRIES: "0", LOG_LEVEL: "silent", ...env }, { clock });
  await routed.price("alias");
  // speaks no other language than that of messages
  const claude = await routed.add("claude", { kind: "anthropic" });
  const second = await routed.add("second");
  const key = await routed.token();
  const respond = () => {
    const headers = { authorization: `Bearer ${key}` };
    const question = { model: "alias", input: "Hello?" };
    return postJson(`${routed.parley.origin}/v1/responses`, question, { headers });
  };
  const chat = () => routed.chat("alias", key);
  return { ...routed, clock, claude, second, respond, chat };
}

describe("a target that can't be asked", () => {
  test("leaves RETRIES to the one after it", async () => {
    const { route, respond, second, claude, storage } = await scene({ RETRIES: "1" });
    await route("alias", "claude:c; second:b");
    second.behave(refuse(500));
    expect((await respond()).status).toBe(502);
    expect([claude.requests.length, second.requests.length]).toEqual([0, 2]);
    expect(await storage.ledger.rows()).toMatchObject([{ upstream: "second", tries: 2 }]);
  });

  test("does not hide why the one before it failed", async () => {
    const { route, respond, second, storage } = await scene();
    await route("alias", "second:b; claude:c");
    second.behave(refuse(500));
    const { status, json, headers } = await respond();
    expect([status, json]).toMatchObject([502, { error: { code: "upstream_failed" } }]);
    expect(headers["x-parley-upstream"]).toBe("second");
    expect(await storage.ledger.rows()).toMatchObject([
      { upstream: "second", upstreamModel: "b", tries: 1, error: "upstream_failed" },
    ]);
  });

  test("does not hide that another rests, which will answer later", async () => {
    const { route, respond, second } = await scene();
    await route("alias", "claude:c; second:b");
    second.behave(refuse(500));
    for (let call = 0; call < 5; call += 1) expect((await respond()).status).toBe(502);
    const { status, json, headers } = await respond();
    expect([status, json]).toMatchObject([503, { error: { code: "upstream_unavailable" } }]);
    expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(4);
  });

  test("is told if there is no other", async () => {
    const { route, respond, storage } = await scene();
    await route("alias", "claude:c");
    const { status, json } = await respond();
    expect([status, json]).toMatchObject([400, { error: { code: "endpoint_not_available" } }]);
    expect(await storage.ledger.rows()).toMatchObject([{ upstream: null, tries: 0 }]);
  });

  test("does not end its rest", async () => {
    const { route, respond, chat, claude, second, clock } = await scene();
    await route("alias", "claude:c; second:b");
    second.behave(answer);
    claude.behave(refuse(500));
    for (let call = 0; call < 5; call += 1) await chat();
    clock.advance(6_001);
    expect((await respond()).status).toBe(200);
    for (let call = 0; call < 5; call += 1) await chat();
    expect(claude.requests).toHaveLength(6);
  });
});
