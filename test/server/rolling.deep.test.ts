import { describe, test } from "vitest";
import { expectNothingLost } from "../support/rolling/lost.ts";
import { type RollOptions, roll } from "../support/rolling/roll.ts";

/** A busy service. rolling.test.ts shows the same with few calls. */
const many: Omit<RollOptions, "proxy"> = {
  copies: 4,
  delaySeconds: 5,
  paceMs: 300,
  callsPerSecond: 300,
  streams: 50,
  webSockets: 10,
  grpcClients: 8,
};

describe("four copies that restart under 300 calls a second", { timeout: 300_000 }, () => {
  test("behind HAProxy lose, cut and double no call", { tags: ["haproxy", "python"] }, async () => {
    expectNothingLost(await roll({ ...many, proxy: "haproxy", pythonClients: 2 }));
  });

  test("behind nginx lose, cut and double no call", { tags: "nginx" }, async () => {
    expectNothingLost(await roll({ ...many, proxy: "nginx" }));
  });
});
