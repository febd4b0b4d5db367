import { writeFileSync } from "node:fs";
import { test } from "vitest";
import { expectNothingLost } from "../support/rolling/lost.ts";
import { type Rolled, type RollOptions, roll } from "../support/rolling/roll.ts";

const TEST_MS = 300_000;
const full: Omit<RollOptions, "proxy"> = {
  copies: Number(process.env.COPIES ?? 4),
  delaySeconds: 5,
  paceMs: 300,
  callsPerSecond: Number(process.env.RATE ?? 300),
  streams: Number(process.env.STREAMS ?? 50),
  webSockets: 10,
  grpcClients: 10,
};

test("all copies restart behind HAProxy, and no call is lost, cut or doubled", {
  tags: "haproxy",
  timeout: TEST_MS,
}, async () => {
  check(await roll({ ...full, proxy: "haproxy" }));
});

test("all copies restart behind nginx, and no call is lost, cut or doubled", {
  tags: "nginx",
  timeout: TEST_MS,
}, async () => {
  check(await roll({ ...full, proxy: "nginx" }));
});

function check(rolled: Rolled) {
  const { tally, rows, seconds, output } = rolled;
  writeFileSync("/tmp/roll/out.log", output.join("\n"));
  writeFileSync(
    "/tmp/roll/last.json",
    JSON.stringify(
      {
        counts: tally.counts(),
        seconds,
        rows: rows.length,
        upstream: tally.upstream.size,
        failures: tally.failures,
        warn: output.filter((l) => /"level":[456]0/.test(l)).slice(0, 20),
      },
      null,
      1,
    ),
  );
  expectNothingLost(rolled);
}
