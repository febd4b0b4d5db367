import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { demoSettings, newDemoSecrets } from "../../scripts/demo/settings.ts";
import { seedWeek } from "../../scripts/demo/week/seed.ts";
import { systemClock } from "../../src/clock.ts";
import { readConfig } from "../../src/config/read.ts";
import { storageOptions } from "../../src/config/storage.ts";
import { shownCounts, sumOfCounts } from "../../src/core/reports/call-counts.ts";
import { openStorage } from "../../src/storage/open.ts";

const nowhere = "http://127.0.0.1:1/v1";
const services = {
  openAiUrl: nowhere,
  anthropicUrl: nowhere,
  brokenUrl: nowhere,
  alertUrl: nowhere,
  close: async () => undefined,
};

/** The database of a demo that began at this moment. */
async function seededAt(endMs: number) {
  const folder = mkdtempSync(join(tmpdir(), "demo-seed-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const read = readConfig(demoSettings(newDemoSecrets(), services, folder, 0), () => "");
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  const secrets = await seedWeek(read.config, services, endMs);
  const clock = { ...systemClock, wallMs: () => endMs };
  const fail = (error: unknown) => {
    throw error;
  };
  const options = storageOptions(read.config, clock, fail);
  const storage = await openStorage({ ...options, oneOff: true });
  onTestFinished(() => storage.close());
  return { storage, secrets };
}

describe("the week before the demo", () => {
  test("has calls of all kinds, tokens in all states and a group near its quota", async () => {
    const endMs = Date.UTC(2026, 10, 27, 16, 20);
    const { storage, secrets } = await seededAt(endMs);
    const { ledger, tokens, groups, routing } = storage;

    const sums = await ledger.sums("model");
    expect(sums.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThan(5_500);
    // the alias has those that nobody answered
    const unpriced = sums.filter(({ cost }) => !(Number(cost) > 0)).map(({ key }) => key);
    expect(unpriced).toEqual(["smart"]);
    const rows = await Array.fromAsync(ledger.export());
    const codes = new Set(rows.map(({ error }) => error));
    for (const code of ["quota_exceeded", "rate_limited", "upstream_timeout", "canceled"]) {
      expect(codes).toContain(code);
    }
    expect(new Set(rows.map(({ dialect }) => dialect)).size).toBe(6);
    for (const { at } of rows) expect(at).toBeLessThanOrEqual(endMs);

    const toHour = Math.floor(endMs / 3_600_000) + 1;
    const counted = await storage.callCounts.between(toHour - 24, toHour);
    expect(new Set(counted.map(({ hour }) => hour)).size).toBe(24);
    const { answered, failed, refused } = shownCounts(sumOfCounts(counted));
    const dayBefore = rows.filter(
      ({ at, outcome }) => at >= (toHour - 24) * 3_600_000 && outcome !== "refused",
    );
    expect(answered + failed).toBe(dayBefore.length);
    expect(refused.minute).toBeGreaterThan(10);

    const all = await tokens.list();
    expect(all).toHaveLength(14);
    expect(all.filter(({ expiresAt }) => expiresAt !== null && expiresAt < endMs)).toHaveLength(1);
    expect(all.filter(({ disabledAt }) => disabledAt !== null)).toHaveLength(1);
    for (const { name } of all) {
      expect(secrets.get(name)?.secret).toMatch(/^parley-/);
    }

    const listed = await groups.list();
    expect(listed).toHaveLength(3);
    const shares = await Promise.all(
      listed.map(async ({ id, quotas }) => {
        const { month } = await ledger.used(id);
        return Number(month.money) / Number(quotas.month.money);
      }),
    );
    expect(shares.filter((share) => share > 0.85 && share < 1)).toHaveLength(1);
    expect(await routing.upstreams()).toHaveLength(2);
    expect(await routing.routes()).toHaveLength(3);
  });

  test.each([
    ["the first minute of a month", Date.UTC(2026, 11, 1, 0, 0, 30)],
    ["a Sunday in a leap year", Date.UTC(2028, 2, 5, 3, 59, 59, 999)],
  ])("can end in %s", async (_when, endMs) => {
    const { storage } = await seededAt(endMs);
    const sums = await storage.ledger.sums("day");
    expect(sums.length).toBeGreaterThanOrEqual(7);
    expect(sums.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThan(5_500);
  });
});
