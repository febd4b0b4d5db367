import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { STORE_COMMANDS, STORE_RIGHTS } from "../../../src/limits/shared/rights.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { openTestStore } from "../../support/shared-store.ts";

let server: RedisServer;
let users = 0;
beforeAll(async () => {
  server = closeAfterFile(await startRedis());
});

/** A user with these rules and no other rights. */
async function user(...rules: readonly string[]) {
  users += 1;
  const username = `user-${users}`;
  await server.command("ACL", "SETUSER", username, "on", ">secret", ...rules);
  return { port: server.port, username, password: "secret" };
}
const rights = STORE_RIGHTS.split(" ");

test("the rights are those that the scripts need", () => {
  const folder = new URL("../../../src/limits/shared/", import.meta.url);
  const files = readdirSync(folder).filter((name) => /(-script|-lua|-time)\.ts$/.test(name));
  const lua = files.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const called = [...lua.matchAll(/redis\.call\('([A-Z]+)'|first\('([A-Z]+)'\)/g)];
  const names = new Set(called.map(([, one, other]) => (one ?? other ?? "").toLowerCase()));
  const evaluated = ["eval", "evalsha"];
  expect([...names, ...evaluated].toSorted()).toEqual(STORE_COMMANDS.toSorted());
});

test.each(["en", "ru_RU", "zh_CN", "zh_TW"])("docs/%s names these rights", (language) => {
  const page = new URL(`../../../docs/${language}/scaling.md`, import.meta.url);
  expect(readFileSync(page, "utf8")).toContain(`\nuser parley on >PASSWORD ${STORE_RIGHTS}\n`);
});

describe("the user of the store", { tags: "redis" }, () => {
  test("needs no more than the rights that are named", async () => {
    const { store } = await openTestStore(await user(...rights));
    expect(store.isAway()).toBe(false);
  });

  test.each(STORE_COMMANDS)("is told at the start that it lacks +%s", async (command) => {
    const opening = openTestStore(await user(...rights, `-${command}`));
    const named = command.startsWith("eval")
      ? "NOPERM"
      : `NOPERM the user lacks the rights +${command}`;
    await expect(opening).rejects.toThrow(named);
  });

  test("is told all that it lacks at once", async () => {
    const opening = openTestStore(await user(...rights, "-zadd", "-hset"));
    await expect(opening).rejects.toThrow("+hset +zadd");
  });

  test("is told that it may not touch the keys", async () => {
    const opening = openTestStore(await user(...rights, "resetkeys", "~other:*"));
    await expect(opening).rejects.toThrow(/NOPERM|permission/);
  });

  test("leaves nothing behind where it tries what it may do", async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const { store } = await openTestStore({ port: own.port });
    expect(store.isAway()).toBe(false);
    expect(await own.command("KEYS", "*rights*")).toEqual([]);
  });

  test("that loses a right is away until it has it again, and the log says why", async () => {
    const login = await user(...rights);
    const { store, events } = await openTestStore(login);
    const script = { name: "set", lua: "return redis.call('SET', KEYS[1], '1', 'PX', 1000)" };
    await server.command("ACL", "SETUSER", login.username, "-set");
    await store.run(script, [store.key("one", "a")], []);
    expect(store.isAway()).toBe(true);
    expect(events.away).toMatchObject([{ kind: "refused" }]);
    const until = { timeout: 5_000, interval: 20 };
    // it finds the store each half a second, and does not come back for it
    await server.command("ACL", "SETUSER", login.username, "-zrem");
    await server.command("ACL", "SETUSER", login.username, "+set");
    await vi.waitFor(async () => {
      const stats = String(await server.command("INFO", "commandstats"));
      expect(stats).toMatch(/cmdstat_zrem:.*rejected_calls=[1-9]/);
    }, until);
    expect(store.isAway()).toBe(true);
    await server.command("ACL", "SETUSER", login.username, "+zrem");
    await vi.waitFor(() => expect(store.isAway()).toBe(false), until);
    expect(events.away.length).toBe(1);
  });
});
