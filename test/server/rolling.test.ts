import { describe, expect, test } from "vitest";
import { expectNothingLost } from "../support/rolling/lost.ts";
import { type RollOptions, roll } from "../support/rolling/roll.ts";

/** rolling.deep.test.ts has the sizes of a busy service. */
const few: Omit<RollOptions, "proxy"> = {
  copies: 2,
  delaySeconds: 2,
  checkMs: 200,
  paceMs: 100,
  callsPerSecond: 20,
  streams: 5,
  webSockets: 2,
  grpcClients: 2,
};

describe("copies that restart one after the other", { timeout: 90_000 }, () => {
  test("behind HAProxy lose, cut and double no call", { tags: "haproxy" }, async () => {
    const rolled = await roll({ ...few, proxy: "haproxy" });
    expectNothingLost(rolled);
    expect(Math.min(...Object.values(rolled.tally.counts()))).toBeGreaterThan(5);
  });

  test("behind nginx lose, cut and double no call", { tags: "nginx" }, async () => {
    expectNothingLost(await roll({ ...few, proxy: "nginx" }));
  });
});
