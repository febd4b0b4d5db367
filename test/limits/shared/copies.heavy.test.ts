import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startRedis } from "../../support/redis.ts";

const SCRIPT = new URL("../fixtures/take-calls.ts", import.meta.url).pathname;
const CALLS = 6_000;
const LIMIT = 1_000;

describe("processes that share a store", { tags: "redis" }, () => {
  for (const copies of [2, 4]) {
    test(`of 6,000 calls at ${copies} of them, a limit of 1,000 admits exactly 1,000`, {
      timeout: 60_000,
    }, async () => {
      const { port } = closeAfterFile(await startRedis());
      const all = Array.from({ length: copies }, () => startCopy(port, CALLS / copies));
      await Promise.all(all.map(lineOf));
      for (const copy of all) copy.stdin.write("go\n");
      const admitted = (await Promise.all(all.map(lineOf))).map(Number);
      expect(admitted.reduce((sum, calls) => sum + calls)).toBe(LIMIT);
      expect(Math.min(...admitted)).toBeGreaterThan(0);
    });
  }
});

function startCopy(port: number, calls: number): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [SCRIPT, String(port), String(calls), String(LIMIT)]);
  closeAfterFile({ close: () => void child.kill("SIGKILL") });
  child.stderr.pipe(process.stderr);
  return child;
}

/** The next thing that it says. */
async function lineOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [line] = await once(child.stdout, "data");
  return String(line).trim();
}
