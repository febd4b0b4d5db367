import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { KeptAlert } from "../../../src/core/alerts.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

eachDatabase("alerts", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  /** Another process on the same database. */
  let other: Storage;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock });
    other = await database.open({ clock });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  const alert = (mark: number, changes: Partial<KeptAlert> = {}): KeptAlert => ({
    id: `msg_${mark}`,
    subject: "token.quota a requests 2026-11-21",
    mark,
    endsAt: noon + 1_000,
    body: `{"percent":${mark}}`,
    ...changes,
  });

  test("are new once over all instances, and again only with a higher mark", async () => {
    const at = async (mark: number, by = storage) => by.alerts.keep(alert(mark), true);
    const once = await Promise.all([at(50), at(50, other), at(50), at(50, other)]);
    expect(once.toSorted()).toEqual(["known", "known", "known", "new"]);
    expect([await at(100, other), await at(80), await at(100)]).toEqual(["new", "known", "known"]);
    const due = await storage.alerts.claim(9);
    expect(due).toEqual([
      { id: "msg_100", subject: alert(1).subject, body: '{"percent":100}', tries: 0 },
    ]);
  });

  test("can be read later, the last 100 and nothing of those told before", async () => {
    for (let n = 0; n < 105; n += 1) {
      const told = { at: noon + n, event: "token.quota", subject: `t${n}`, facts: "{}" };
      const kept = alert(1, { id: `msg_${n}`, subject: `about ${n}`, told });
      expect(await storage.alerts.keep(kept, false)).toBe("new");
      await storage.alerts.keep({ ...kept, id: `msg_${n}_again` }, false);
    }
    const found = await other.reports.alerts();
    expect(found).toHaveLength(100);
    expect(found[0]).toEqual({
      ...{ id: "msg_104", at: noon + 104, event: "token.quota", subject: "t104", facts: "{}" },
    });
    expect(found.at(-1)?.subject).toBe("t5");
  });

  test("are given to one instance, and to another if that one dies", async () => {
    await storage.alerts.keep(alert(50), true);
    const claims = await Promise.all([storage.alerts.claim(9), other.alerts.claim(9)]);
    expect(claims.flat()).toHaveLength(1);
    clock.set(noon + 59_000);
    expect(await other.alerts.claim(9)).toEqual([]);
    clock.set(noon + 61_000);
    const [due] = await other.alerts.claim(9);
    if (due === undefined) throw new Error("it is due");
    await other.alerts.postpone(due, clock.wallMs() + 5_000);
    expect(await storage.alerts.claim(9)).toEqual([]);
    clock.set(clock.wallMs() + 5_000);
    expect(await storage.alerts.claim(9)).toMatchObject([{ tries: 1 }]);
    await storage.alerts.postpone(due, null);
    clock.set(clock.wallMs() + 86_400_000);
    expect(await storage.alerts.claim(9)).toEqual([]);
  });

  test("that took the place of one under way are not ended with it", async () => {
    await storage.alerts.keep(alert(50), true);
    const [due] = await storage.alerts.claim(9);
    if (due === undefined) throw new Error("it is due");
    await other.alerts.keep(alert(80), true);
    await storage.alerts.postpone(due, null);
    expect(await storage.alerts.claim(9)).toMatchObject([{ id: "msg_80" }]);
  });

  test("without a receiver are kept, and never due", async () => {
    expect(await storage.alerts.keep(alert(50), false)).toBe("new");
    expect(await other.alerts.keep(alert(50), false)).toBe("known");
    clock.set(noon + 999);
    expect(await storage.alerts.claim(9)).toEqual([]);
  });

  test("wait in a bounded number", async () => {
    for (let at = 0; at < 1_000; at += 100) {
      const some = Array.from({ length: 100 }, (_, one) =>
        storage.alerts.keep(alert(50, { subject: `${at + one}` }), true),
      );
      expect(new Set(await Promise.all(some))).toEqual(new Set(["new"]));
    }
    expect(await storage.alerts.keep(alert(50), true)).toBe("full");
  });

  test("networks of a token are counted over all instances, as many as decide", async () => {
    const add = (network: string, by = storage) => by.networks.add("a", 1, network, 3);
    expect([await add("x"), await add("x", other), await add("y", other)]).toEqual([1, 1, 2]);
    expect([await add("z"), await add("w"), await add("w", other)]).toEqual([3, 3, 3]);
    expect(await storage.networks.add("a", 2, "x", 3)).toBe(1);
    expect(await storage.networks.add("b", 1, "x", 3)).toBe(1);
  });
});
