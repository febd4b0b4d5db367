import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("a million addresses cost less than 64 MiB, and hardly more time than a hundred", {
  timeout: 30_000,
}, async () => {
  const script = new URL("./fixtures/many-buckets.ts", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script]);
  const report = JSON.parse(stdout);
  expect(report.countedOfLatest).toBe(1);
  expect(report.grewBytes).toBeLessThan(64 * 2 ** 20);
  expect(report.peakGrewBytes).toBeLessThan(64 * 2 ** 20);
  expect(report.tookMs).toBeLessThan(20 * report.neighborMs);
});
