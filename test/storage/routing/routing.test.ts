import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ModelRoute, RoutingStore } from "../../../src/core/routing/routing.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { query } from "../support/tables.ts";

const secretKeys = { current: "k".repeat(32), old: [] };

const azure = {
  name: "azure-eu",
  kind: "azure",
  url: "https://eu.example/openai/v1?api-version=2026-01-01",
  models: ["gpt-4o-eu"],
  concurrency: 20,
  answerSeconds: 120,
  firstTokenSeconds: null,
  keys: ["sk-azure-canary-1", "sk-azure-canary-2"],
  headers: { "x-team": "header-canary" },
  proxyUrl: "http://ann:proxy-canary@proxy.example:8080",
} as const;

const local = {
  name: "local",
  kind: "openai",
  url: "http://127.0.0.1:11434/v1",
  models: ["llama3:8b"],
  concurrency: null,
  answerSeconds: null,
  firstTokenSeconds: 5,
  keys: [],
  headers: {},
  proxyUrl: null,
} as const;

const route: ModelRoute = {
  model: "gpt-4o",
  stages: [
    [
      { upstream: "default", model: "gpt-4o", weight: 3 },
      { upstream: "azure-eu", model: "gpt-4o-eu", weight: 1 },
    ],
    [{ upstream: "local", model: "llama3:8b", weight: 1 }],
  ],
};

eachDatabase("upstreams and routes", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  let routing: RoutingStore;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock, secretKeys });
    routing = storage.routing;
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  test("are read by another process as they were given, and shown without secrets", async () => {
    expect(await routing.read()).toEqual({ version: 0, upstreams: [], unreadable: [], routes: [] });
    const shown = await routing.addUpstream(azure);
    await routing.addUpstream(local);
    await routing.setRoute(route);
    const other = (await database.open({ clock, secretKeys })).routing;
    expect(await other.read()).toEqual({
      version: 3,
      upstreams: [azure, local],
      unreadable: [],
      routes: [route],
    });
    const { keys: _, headers: __, proxyUrl: ___, ...settings } = azure;
    expect(shown).toEqual({
      ...settings,
      keyCount: 2,
      headerNames: ["x-team"],
      proxy: "http://proxy.example:8080",
      createdAt: noon,
    });
    expect((await other.upstreams())[0]).toEqual(shown);
    expect(await other.routes()).toEqual([route]);
    expect(JSON.stringify(await other.upstreams())).not.toContain("canary");
  });

  test("no secret is in any byte of their rows", async () => {
    await routing.addUpstream(azure);
    const rows = JSON.stringify(await query(database, "SELECT * FROM upstreams"));
    expect(rows).toContain("eu.example");
    expect(rows).not.toContain("canary");
  });

  test("every change has a larger number, also of two processes at once", async () => {
    const other = (await database.open({ clock, secretKeys })).routing;
    await routing.addUpstream(azure);
    await routing.addUpstream(local);
    const before = await routing.version();
    await Promise.all([
      routing.changeUpstream("local", { concurrency: 3 }),
      other.changeUpstream("azure-eu", { concurrency: 4 }),
      routing.setRoute(route),
      other.setRoute({ ...route, model: "best" }),
    ]);
    expect(await other.version()).toBe(before + 4);
    expect(await routing.removeRoute("best")).toBe(true);
    expect(await other.version()).toBeGreaterThan(before + 4);
    const { upstreams } = await other.read();
    expect(upstreams.map(({ concurrency }) => concurrency)).toEqual([4, 3]);
  });

  test("what is left out of a change stays, null and an empty list take away", async () => {
    await routing.addUpstream(azure);
    const read = async () => (await routing.read()).upstreams[0];
    await routing.changeUpstream("azure-eu", { url: "https://b.example/v1", answerSeconds: null });
    const changed = { ...azure, url: "https://b.example/v1", answerSeconds: null };
    expect(await read()).toEqual(changed);
    await routing.changeUpstream("azure-eu", { keys: ["sk-new"], proxyUrl: null });
    expect(await read()).toEqual({ ...changed, keys: ["sk-new"], proxyUrl: null });
    const shown = await routing.changeUpstream("azure-eu", { keys: [], headers: {} });
    expect(shown).toMatchObject({ keyCount: 0, headerNames: [], proxy: null });
    expect(await read()).toEqual({ ...changed, keys: [], headers: {}, proxyUrl: null });
    expect(await routing.changeUpstream("nobody", { keys: [] })).toBeNull();
  });

  test("a name is given once, and an upstream that a route names can't be removed", async () => {
    await routing.addUpstream(azure);
    await routing.addUpstream(local);
    const taken = routing.addUpstream({ ...local, name: "azure-eu" });
    await expect(taken).rejects.toMatchObject({ code: "upstream_name_taken" });
    await routing.setRoute(route);
    const used = routing.removeUpstream("local");
    await expect(used).rejects.toMatchObject({
      code: "upstream_in_use",
      params: { name: "local", model: "gpt-4o" },
    });
    expect(await routing.removeRoute("gpt-4o")).toBe(true);
    expect(await routing.removeRoute("gpt-4o")).toBe(false);
    expect(await routing.removeUpstream("local")).toBe(true);
    expect(await routing.removeUpstream("local")).toBe(false);
    const lost = routing.setRoute(route);
    await expect(lost).rejects.toMatchObject({
      code: "field_unknown_upstream",
      params: { field: "to", name: "local" },
    });
    expect(await routing.routes()).toEqual([]);
  });

  test("of a removal and a route that names the upstream at once, one is refused", async () => {
    const other = (await database.open({ clock, secretKeys })).routing;
    for (let round = 0; round < 5; round += 1) {
      await routing.addUpstream(local);
      const one = { model: "m", stages: [[{ upstream: "local", model: "m", weight: 1 }]] };
      const done = await Promise.allSettled([other.removeUpstream("local"), routing.setRoute(one)]);
      expect(done.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      await routing.removeRoute("m");
      await routing.removeUpstream("local");
    }
  });

  test("a route is replaced whole, and routes come by name", async () => {
    const to = (model: string) => [[{ upstream: "default", model, weight: 1 }]];
    for (const model of ["b-x", "a", "b/x", "B", "b"]) {
      await routing.setRoute({ model, stages: to("one") });
    }
    await routing.setRoute({ model: "a", stages: to("two") });
    const routes = await routing.routes();
    expect(routes.map(({ model }) => model)).toEqual(["B", "a", "b", "b-x", "b/x"]);
    expect(routes[1]?.stages).toEqual(to("two"));
  });

  test("an upstream that breaks a rule is refused", async () => {
    for (const changes of [
      { name: "default" },
      { name: "Azure" },
      { name: "x".repeat(65) },
      { concurrency: 0.5 },
      { keys: ["sk\r\nx: y"] },
      { keys: Array.from({ length: 65 }, (_, at) => `sk-${at}`) },
      { models: ["a\0b"] },
      { url: `https://a.example/${"x".repeat(2_000)}` },
    ]) {
      const refused = routing.addUpstream({ ...local, ...changes });
      const what = JSON.stringify(changes).slice(0, 80);
      await expect(refused, what).rejects.toMatchObject({ code: "field_range" });
    }
    expect(await routing.upstreams()).toEqual([]);
  });

  test("a route that breaks a rule is refused", async () => {
    for (const stages of [
      [],
      [[]],
      [[{ upstream: "default", model: "m", weight: 0 }]],
      [[{ upstream: "default", model: "", weight: 1 }]],
      [[{ upstream: "default", model: "a,b", weight: 1 }]],
      Array.from({ length: 9 }, () => route.stages[0] ?? []),
    ]) {
      const refused = routing.setRoute({ model: "m", stages });
      const what = JSON.stringify(stages).slice(0, 80);
      await expect(refused, what).rejects.toMatchObject({ code: "field_range" });
    }
    expect(await routing.version()).toBe(0);
  });

  test("the thousand and first route is refused, and one of the others is replaced", async () => {
    const stages = JSON.stringify([[{ upstream: "default", model: "m", weight: 1 }]]);
    await query(
      database,
      `INSERT INTO routes (model, stages) WITH RECURSIVE n(i) AS
        (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        SELECT 'm' || i, '${stages}' FROM n`,
    );
    const one = { stages: [[{ upstream: "default", model: "other", weight: 1 }]] };
    const more = routing.setRoute({ ...one, model: "new" });
    await expect(more).rejects.toMatchObject({ code: "routing_full", params: { max: 1_000 } });
    await routing.setRoute({ ...one, model: "m7" });
    const routes = await routing.routes();
    expect(routes).toHaveLength(1_000);
    expect(routes.find(({ model }) => model === "m7")).toMatchObject(one);
  });

  test("the hundred and first upstream is refused", async () => {
    for (let at = 0; at < 100; at += 1) await routing.addUpstream({ ...local, name: `u${at}` });
    const more = routing.addUpstream(local);
    await expect(more).rejects.toMatchObject({ code: "routing_full", params: { max: 100 } });
  }, 20_000);
});

eachDatabase("secrets of upstreams", (kind) => {
  let database: TestDatabase;
  const clock = standingClock();
  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);
  const openWith = async (keys: typeof secretKeys | { current: string; old: string[] }) =>
    database.open({ clock, secretKeys: keys });

  test("that no key opens leave out their upstream, and no other", async () => {
    const { routing } = await openWith(secretKeys);
    await routing.addUpstream(azure);
    await routing.addUpstream(local);
    const lost = (await openWith({ current: "n".repeat(32), old: [] })).routing;
    expect(await lost.read()).toMatchObject({ upstreams: [local], unreadable: ["azure-eu"] });
    expect(await lost.upstreams()).toHaveLength(2);
    const part = lost.changeUpstream("azure-eu", { keys: ["sk-new"] });
    await expect(part).rejects.toMatchObject({ code: "upstream_unreadable" });
    expect(await lost.changeUpstream("azure-eu", { concurrency: 1 })).toMatchObject({
      keyCount: 2,
    });
    const whole = { keys: ["sk-new"], headers: {}, proxyUrl: null };
    await lost.changeUpstream("azure-eu", whole);
    expect(await lost.read()).toMatchObject({ upstreams: [whole, local], unreadable: [] });
  });

  test("are taken over by a new key, in rows of their own only", async () => {
    const { routing } = await openWith(secretKeys);
    await routing.addUpstream(azure);
    await routing.addUpstream(local);
    const current = "n".repeat(40);
    const turned = await openWith({ current, old: [secretKeys.current] });
    expect(await turned.reseal()).toMatchObject({ upstreams: 1, failed: [] });
    expect(await turned.reseal()).toMatchObject({ upstreams: 0, failed: [] });
    const onlyNew = (await openWith({ current, old: [] })).routing;
    expect((await onlyNew.read()).upstreams).toEqual([azure, local]);
    const old = await openWith(secretKeys);
    const failed = [{ kind: "upstream", id: "azure-eu" }];
    expect(await old.reseal()).toMatchObject({ upstreams: 0, failed });
    await query(database, "UPDATE upstreams SET name = 'renamed' WHERE name = 'azure-eu'");
    expect(await onlyNew.read()).toMatchObject({ unreadable: ["renamed"] });
  });

  test("can't be stored without a secret key; an upstream without any can", async () => {
    const { routing } = await database.open({ clock });
    await expect(routing.addUpstream(azure)).rejects.toMatchObject({
      cause: { message: expect.stringContaining("SECRET_KEY is not set") },
    });
    await routing.addUpstream(local);
    expect((await routing.read()).upstreams).toEqual([local]);
  });
});
