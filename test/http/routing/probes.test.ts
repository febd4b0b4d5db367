/** A target that is ill costs one slow call after each rest, whatever becomes of that call. */
import { expect, test } from "vitest";
import { createVirtualClock } from "../../core/virtual-clock.ts";
import { refuse, silent, stallMidStream } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { startRouted } from "../../support/routed.ts";
import { answer } from "../../support/upstream.ts";

const REST_MS = 6_001;

async function scene(concurrency: number | null = null) {
  const clock = createVirtualClock();
  const routed = await startRouted({ RETRIES: "0", LOG_LEVEL: "silent" }, { clock });
  await routed.price("alias");
  const first = await routed.add("first", { concurrency });
  const second = await routed.add("second");
  await routed.route("alias", "first:a; second:b");
  const key = await routed.token();
  const chat = () => routed.chat("alias", key);
  const leaving = new AbortController();
  const chatUntil = async (signal: AbortSignal) => {
    const question = { model: "alias", messages: [{ role: "user", content: "Hello?" }] };
    const headers = { authorization: `Bearer ${key}` };
    const options = { headers, signal };
    await postJson(`${routed.parley.origin}/v1/chat/completions`, question, options).catch(
      () => undefined,
    );
  };
  const fail = async () => {
    first.behave(refuse(500));
    for (let call = 0; call < 5; call += 1) expect((await chat()).status).toBe(200);
    expect(first.requests).toHaveLength(5);
  };
  const asked = (count: number) =>
    first.waitFor(() => first.requests.length === count, { label: "asked", timeoutMs: 5_000 });
  return { ...routed, clock, key, first, second, chat, chatUntil, leaving, fail, asked };
}

test("a probe that hangs is the only slow call until its rest is over", async () => {
  const { first, second, chat, chatUntil, leaving, fail, asked, clock } = await scene();
  await fail();
  first.behave(silent);
  clock.advance(REST_MS);
  const probe = chatUntil(leaving.signal);
  await asked(6);
  // nothing has come for 30 s, which counts as a failure: the next rest is twice as long
  for (const ms of [1, 29_000, 1_001, 5_000]) {
    clock.advance(ms);
    expect((await chat()).headers["x-parley-upstream"]).toBe("second");
  }
  expect(first.requests).toHaveLength(6);
  leaving.abort();
  await probe;
  expect(second.requests).toHaveLength(9);
});

test("a probe whose client leaves is followed by a rest, and then by another", async () => {
  const { first, chat, chatUntil, leaving, fail, asked, clock } = await scene();
  await fail();
  first.behave(silent);
  clock.advance(REST_MS);
  const probe = chatUntil(leaving.signal);
  await asked(6);
  leaving.abort();
  await probe;
  await first.waitFor(() => first.open() === 0, { label: "left", timeoutMs: 5_000 });
  first.behave(answer);
  expect((await chat()).headers["x-parley-upstream"]).toBe("second");
  clock.advance(REST_MS);
  expect((await chat()).headers["x-parley-upstream"]).toBe("first");
  expect((await chat()).headers["x-parley-upstream"]).toBe("first");
});

test("a call that finds its target full does not take the probe", async () => {
  const { parley, key, first, storage, chat, clock } = await scene(2);
  const question = { model: "alias", stream: true, messages: [{ role: "user", content: "Hi" }] };
  const headers = { authorization: `Bearer ${key}` };
  first.behave(stallMidStream);
  const held = await openStream(`${parley.origin}/v1/chat/completions`, question, { headers });
  first.behave(refuse(500));
  for (let call = 0; call < 5; call += 1) await chat();
  await storage.routing.changeUpstream("first", { concurrency: 1 });
  clock.advance(REST_MS);
  expect((await chat()).headers["x-parley-upstream"]).toBe("second");
  expect(first.requests).toHaveLength(6);
  first.behave(answer);
  held.hangUp();
  await first.waitFor(() => first.open() === 0, { label: "left", timeoutMs: 5_000 });
  expect((await chat()).headers["x-parley-upstream"]).toBe("first");
});
