import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parseFields } from "../../../src/admin/fields.ts";
import priceList from "../../../src/admin/price-list.json" with { type: "json" };
import { importedPrices } from "../../../src/admin/price-schemas.ts";
import { createSchemas } from "../../../src/admin/schemas.ts";
import { eachExtra, extraNames } from "../../../src/core/accounts/price-fields.ts";
import type { Storage } from "../../../src/storage/open.ts";
import { noon, standingClock } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import { query } from "../support/tables.ts";

const price = { model: "gpt-4o", input: "2.50", cachedInput: "1.25", output: "10", since: 100 };

eachDatabase("prices", (kind) => {
  let database: TestDatabase;
  let storage: Storage;
  const clock = standingClock();

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  beforeEach(async () => {
    clock.set(noon);
    storage = await database.open({ clock });
  }, 20_000);
  afterEach(() => database.empty(), 20_000);
  afterAll(() => database.drop(), 20_000);

  test("a change holds from its moment on and leaves the past as it was", async () => {
    await storage.prices.set(price);
    await storage.prices.set({ ...price, input: "2", cachedInput: null, since: 200 });
    expect(await storage.prices.priceOf("gpt-4o", 99)).toBeNull();
    expect((await storage.prices.priceOf("gpt-4o", 199))?.input).toBe("2.5");
    expect(await storage.prices.priceOf("gpt-4o", 200)).toEqual({
      model: "gpt-4o",
      input: "2",
      cachedInput: null,
      output: "10",
      since: 200,
      ...eachExtra(() => null),
    });
    for (const since of [0, 150, 200]) {
      const late = storage.prices.set({ ...price, input: "9", since });
      await expect(late).rejects.toMatchObject({ code: "field_range" });
    }
    expect((await storage.prices.list({ model: "gpt-4o" })).map((one) => one.since)).toEqual([
      200, 100,
    ]);
    expect(await storage.prices.list({ at: 150 })).toHaveLength(1);
  });

  test("a snapshot has its own price or its family's", async () => {
    await storage.prices.set(price);
    await storage.prices.set({ ...price, model: "gpt-4o-2024-05-13", input: "5" });
    expect((await storage.prices.priceOf("gpt-4o-2024-05-13", noon))?.input).toBe("5");
    expect((await storage.prices.priceOf("gpt-4o-2024-08-06", noon))?.input).toBe("2.5");
    expect(await storage.prices.priceOf("gpt-4o-mini", noon)).toBeNull();
  });

  test("an import adds what is new, and twice is once", async () => {
    const list = [price, { ...price, model: "o3", output: "8" }];
    expect(await storage.prices.import(list)).toEqual({ added: 2, unchanged: 0, skipped: [] });
    expect(await storage.prices.import(list)).toEqual({ added: 0, unchanged: 2, skipped: [] });
    const older = { ...price, input: "7", since: 50 };
    expect(await storage.prices.import([older])).toMatchObject({ skipped: ["gpt-4o"] });
  });

  test("prices of parts are kept, and another one is another price", async () => {
    const parts = eachExtra((name) => `${name.length}`);
    await storage.prices.set({ ...price, ...parts });
    expect(await storage.prices.priceOf("gpt-4o", 100)).toMatchObject(parts);
    const next = { ...price, ...parts, since: 200 };
    expect(await storage.prices.import([next])).toMatchObject({ unchanged: 1 });
    for (const part of extraNames) {
      const other = { ...next, [part]: "0.5", since: next.since++ };
      expect(await storage.prices.import([other]), part).toMatchObject({ added: 1 });
    }
  });

  test("a price that an older version adds has no parts", async () => {
    await storage.prices.set({ ...price, audioInput: "40" });
    await query(
      database,
      "INSERT INTO prices (model, since, input, output) VALUES ('gpt-4o', 200, '3', '4')",
    );
    const later = await database.open({ clock });
    expect(await later.prices.priceOf("gpt-4o", 200)).toMatchObject({ audioInput: null });
  });

  test("the shipped list imports whole, and its prices hold today", async () => {
    const { imported } = createSchemas(clock);
    const listed = importedPrices(parseFields(imported, priceList), noon);
    expect(await storage.prices.import(listed)).toMatchObject({ added: listed.length });
    expect(await storage.prices.priceOf("gpt-4o-mini-2024-07-18", noon)).toMatchObject({
      input: "0.15",
      cachedInput: "0.075",
      output: "0.6",
    });
    expect(await storage.prices.priceOf("gpt-audio", noon)).toMatchObject({ audioInput: "32" });
    expect((await storage.prices.priceOf("gpt-3.5-turbo-0125", noon))?.output).toBe("1.5");
    expect((await storage.prices.priceOf("gpt-3.5-turbo-0301", noon))?.output).toBe("2");
  });

  test("an import with one wrong price adds none", async () => {
    const wrong = storage.prices.import([price, { ...price, model: "x", output: "free" }]);
    await expect(wrong).rejects.toMatchObject({ code: "field_range" });
    expect(await storage.prices.list()).toEqual([]);
  });

  test("a price that another process sets for a model without one is seen after 50 ms", async () => {
    expect(await storage.prices.priceOf("gpt-4o", noon)).toBeNull();
    const other = await database.open({ clock, oneOff: true });
    await other.prices.set(price);
    clock.set(noon + 50);
    expect((await storage.prices.priceOf("gpt-4o", noon))?.input).toBe("2.5");
  });

  test("a price that another process changes is seen after a second", async () => {
    await storage.prices.set(price);
    expect((await storage.prices.priceOf("gpt-4o", noon))?.input).toBe("2.5");
    const other = await database.open({ clock, oneOff: true });
    await other.prices.set({ ...price, input: "3", since: 200 });
    clock.set(noon + 1_000);
    expect((await storage.prices.priceOf("gpt-4o", noon))?.input).toBe("3");
  });
});
