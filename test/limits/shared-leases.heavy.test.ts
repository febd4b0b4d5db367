import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Script } from "../../src/limits/shared/store.ts";
import { startRedis } from "../support/redis.ts";
import { openSwitchedStore } from "../support/switched-store.ts";

const run = promisify(execFile);
const HOLD = fileURLToPath(new URL("fixtures/hold-leases.ts", import.meta.url));
const read: Script = { name: "read", lua: "return redis.call('GET', KEYS[1])" };
const open: Script = { name: "open", lua: "return redis.call('ZCARD', KEYS[1])" };

describe("leases of processes that enter and leave at once", { tags: "redis" }, () => {
  test.each([2, 4])("by %d never hold more than the limit", async (count) => {
    const redis = await startRedis();
    onTestFinished(() => redis.close());
    const prefix = "parley:test:";
    const rounds = Math.ceil(500 / count);
    const copies = await Promise.all(
      Array.from({ length: count }, (_, index) => {
        const words = [redis.port, prefix, `copy-${index}`, 7, rounds];
        return run(process.execPath, [HOLD, ...words.map(String)]);
      }),
    );
    // one may hold all of them whenever the other asks
    const entered = copies.map(({ stdout }) => Number(stdout));
    expect(Math.max(...entered)).toBeGreaterThan(0);
    const { connection, key } = await openSwitchedStore({ port: redis.port, prefix });
    expect(await connection.run(read, [`${prefix}most`], [])).toBe("7");
    expect(await connection.run(open, [key("streams", "a")], [])).toBe(0);
  });
});
