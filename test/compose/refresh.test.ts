/** What was known of upstreams and routes holds while the database is away, and no call waits for it again. */
import { expect, test } from "vitest";
import { createRefresh } from "../../src/compose/refresh.ts";
import type { RoutingStore, RoutingTable } from "../../src/core/routing/routing.ts";
import { createVirtualClock } from "../core/virtual-clock.ts";

/** A store that says its version when the test lets it. */
async function scene() {
  const clock = createVirtualClock();
  let answer: () => Promise<number> = async () => 1;
  let asked = 0;
  const errors: unknown[] = [];
  const table = (version: number): RoutingTable => ({
    ...{ version, upstreams: [], unreadable: [], routes: [] },
  });
  const never = () => Promise.reject(new Error("not in this test"));
  const store: RoutingStore = {
    version: () => {
      asked += 1;
      return answer();
    },
    read: async () => table(await answer()),
    upstreams: never,
    addUpstream: never,
    changeUpstream: never,
    removeUpstream: never,
    routes: never,
    setRoute: async () => undefined,
    removeRoute: never,
    reseal: never,
  };
  const refresh = await createRefresh({
    store,
    clock,
    apply: ({ version }) => version,
    onError: (error) => errors.push(error),
    onUnreadable: () => undefined,
  });
  // the first call reads anew
  await refresh.now();
  return {
    ...{ clock, errors, refresh, asked: () => asked },
    answers: (next: typeof answer) => {
      answer = next;
    },
  };
}

test("calls share one look at the database, and between two looks none waits", async () => {
  const { refresh, clock, asked, answers } = await scene();
  const before = asked();
  answers(async () => 2);
  clock.advance(249);
  expect(refresh.now()).toBe(1);
  clock.advance(1);
  const both = [refresh.now(), refresh.now()];
  expect(await Promise.all(both)).toEqual([2, 2]);
  expect(refresh.now()).toBe(2);
  expect(asked()).toBe(before + 1);
});

test("a database that hangs delays the calls of a moment, and no later ones", async () => {
  const { refresh, clock, asked, answers } = await scene();
  const hangs = Promise.withResolvers<number>();
  answers(() => hangs.promise);
  clock.advance(250);
  const before = asked();
  expect(await refresh.now()).toBe(1);
  for (let call = 0; call < 3; call += 1) {
    clock.advance(250);
    expect(refresh.now()).toBe(1);
  }
  expect(asked()).toBe(before + 1);
  hangs.resolve(3);
  await expect.poll(() => refresh.known()).toBe(3);
});

test("a database that fails is told of once in a while", async () => {
  const { refresh, clock, errors, answers } = await scene();
  answers(() => Promise.reject(new Error("away")));
  for (let look = 0; look < 20; look += 1) {
    clock.advance(250);
    expect(await refresh.now()).toBe(1);
  }
  expect(errors).toHaveLength(1);
  clock.advance(10_000);
  await refresh.now();
  expect(errors).toHaveLength(2);
});

test("a change through this process is seen by whoever asks after it", async () => {
  const { refresh, answers } = await scene();
  answers(async () => 2);
  await refresh.store.setRoute({ model: "a", stages: [] });
  expect(refresh.now()).toBe(2);
});
