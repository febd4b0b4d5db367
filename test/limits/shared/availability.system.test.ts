import { describe, expect, onTestFinished, test, vi } from "vitest";
import { AWAY, type Script } from "../../../src/limits/shared/store.ts";
import { freePort } from "../../support/free-port.ts";
import { startRedis } from "../../support/redis.ts";
import { openTestStore } from "../../support/shared-store.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

const count: Script = { name: "count", lua: 'return redis.call("INCR", KEYS[1])' };
const echo: Script = { name: "echo", lua: "return ARGV[1]", bytes: true };
const keys = ["parley:test:count:{a}"];

async function redis(...args: string[]) {
  const server = await startRedis({ args });
  onTestFinished(() => server.close());
  return server;
}

const until = (what: () => void) => vi.waitFor(what, { timeout: 6_000, interval: 20 });

describe("a store that is there", { tags: "redis" }, () => {
  test("runs scripts, also after it has forgotten them", async () => {
    const { port } = await redis();
    const { store, events } = await openTestStore({ port });
    expect(await store.run(count, keys, [])).toBe(1);
    const flush = { name: "flush", lua: 'return redis.call("SCRIPT", "FLUSH")' };
    await store.run(flush, keys, []);
    expect(await store.run(count, keys, [])).toBe(2);
    expect(events).toMatchObject({ away: [], back: [expect.any(Number)] });
  });

  test("takes and returns bytes", async () => {
    const { socketPath: path } = await redis();
    const { store } = await openTestStore({ target: { path } });
    const bytes = Uint8Array.of(0, 255, 13, 10, 128);
    expect(await store.run(echo, keys, [bytes])).toEqual(Buffer.from(bytes));
  });

  test("has keys with the prefix of the installation and one hash tag", async () => {
    const { port } = await redis();
    const { store } = await openTestStore({ port, prefix: "parley:1:" });
    expect(store.key("calls", "2001:db8::/64")).toBe("parley:1:calls:{2001:db8::/64}");
  });
});

describe("a store that goes", { tags: "redis" }, () => {
  test("is away at once when it is killed, and decides again when it is back", async () => {
    const server = await redis();
    const { store, events } = await openTestStore({ port: server.port });
    await server.close();
    await until(() => expect(store.isAway()).toBe(true));
    expect(await store.run(count, keys, [])).toBe(AWAY);
    expect(events.away).toMatchObject([{ kind: "lost" }]);
    const again = await startRedis({ port: server.port });
    onTestFinished(() => again.close());
    await until(() => expect(store.isAway()).toBe(false));
    expect(await store.run(count, keys, [])).toBe(1);
    expect(events.back.length).toBe(2);
  });

  test("is away after three late decisions, each late by a tenth of a second", async () => {
    const server = await redis();
    const { store, events } = await openTestStore({ port: server.port });
    server.signal("SIGSTOP");
    const startedMs = performance.now();
    for (let call = 1; call <= 3; call += 1) {
      expect(store.isAway()).toBe(false);
      expect(await store.run(count, keys, [])).toBe(AWAY);
    }
    expect(performance.now() - startedMs).toBeLessThan(3 * 1_000);
    expect(store.isAway()).toBe(true);
    expect(events.away).toMatchObject([{ kind: "slow" }]);
    server.signal("SIGCONT");
    await until(() => expect(store.isAway()).toBe(false));
  });

  test("is not away for one stall, however many decisions were on their way", async () => {
    const server = await redis();
    const { store } = await openTestStore({ port: server.port });
    server.signal("SIGSTOP");
    const asked = Array.from({ length: 9 }, () => store.run(count, keys, []));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([AWAY]));
    expect(store.isAway()).toBe(false);
    server.signal("SIGCONT");
  });

  test("names each cause of an outage once", async () => {
    const server = await redis("--user", "parley", "on", ">secret", "~*", "+@all");
    const login = { port: server.port, username: "parley", password: "secret" };
    const { store, events } = await openTestStore(login);
    await server.command("ACL", "SETUSER", "parley", "resetpass", ">another");
    await server.command("CLIENT", "KILL", "USER", "parley");
    await until(() => expect(events.away).toMatchObject([{ kind: "lost" }, { kind: "refused" }]));
    const attempts = async () =>
      Number(/WRONGPASS:count=(\d+)/.exec(String(await server.command("INFO", "errorstats")))?.[1]);
    await vi.waitFor(async () => expect(await attempts()).toBeGreaterThan(2), { timeout: 6_000 });
    expect(events.away.length).toBe(2);
    await server.command("ACL", "SETUSER", "parley", ">secret");
    await until(() => expect(store.isAway()).toBe(false));
  });

  test("tells of a reply that came too late", async () => {
    const server = await redis();
    const { store } = await openTestStore({ port: server.port });
    const late: unknown[] = [];
    server.signal("SIGSTOP");
    const options = { onLate: (reply: unknown) => late.push(reply) };
    expect(await store.run(count, keys, [], options)).toBe(AWAY);
    server.signal("SIGCONT");
    await until(() => expect(late).toEqual([1]));
    expect(store.isAway()).toBe(false);
  });

  test("is not blamed for what a busy copy has not read", async () => {
    const { port } = await redis();
    const { store } = await openTestStore({ port });
    for (let call = 1; call <= 4; call += 1) {
      const running = store.run(count, keys, []);
      const endMs = performance.now() + 250;
      await new Promise(setImmediate);
      while (performance.now() < endMs) Math.sqrt(endMs);
      expect(await running).toBe(call);
    }
    expect(store.isAway()).toBe(false);
  });

  test("is away while it is slower than a tenth of a second, and back when it is not", async () => {
    const server = await redis();
    const line = await startTcpProxy("127.0.0.1", server.port);
    onTestFinished(() => line.close());
    const { store } = await openTestStore({ port: line.port });
    line.hang(true);
    await until(() => expect(store.isAway()).toBe(true));
    line.hang(false);
    await until(() => expect(store.isAway()).toBe(false));
  });

  test("gets what is brought to it before it decides again", async () => {
    const server = await redis();
    const { store } = await openTestStore({ port: server.port });
    const seen: unknown[] = [];
    store.onReturn(async (runNow) => {
      seen.push(store.isAway(), await runNow(count, keys, []));
    });
    await server.close();
    await until(() => expect(store.isAway()).toBe(true));
    const again = await startRedis({ port: server.port });
    onTestFinished(() => again.close());
    await until(() => expect(seen).toEqual([true, 1, false, 2]));
  });
});

describe("a start", { tags: "redis" }, () => {
  test.each([
    ["a password that is wrong", ["--requirepass", "right"], { password: "wrong" }, "WRONGPASS"],
    ["a password that is missing", ["--requirepass", "right"], {}, "NOAUTH"],
    ["rights that are missing", ["--user", "default", "on", "nopass", "~*", "+ping"], {}, "NOPERM"],
    ["a database that does not exist", ["--databases", "2"], { db: 7 }, "DB index"],
  ])("ends at %s", async (_, args, address, words) => {
    const { port } = await redis(...args);
    await expect(openTestStore({ port, ...address })).rejects.toThrow(words);
  });

  test("goes on without a store that is away", async () => {
    const port = await freePort();
    const { store, events } = await openTestStore({ port, otherwiseCopies: () => 3 });
    expect(events.away).toMatchObject([{ kind: "lost" }]);
    expect(store.copies()).toBe(3);
    expect(await store.run(count, keys, [])).toBe(AWAY);
    const server = await startRedis({ port });
    onTestFinished(() => server.close());
    await until(() => expect(store.isAway()).toBe(false));
  });

  test.each([
    [
      "read-only",
      ["--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes"],
      "read-only",
    ],
    ["full", ["--maxmemory", "1"], "full"],
  ])("goes on without a store that is %s", async (_, args, kind) => {
    const { port } = await redis(...args);
    const { store, events } = await openTestStore({ port });
    expect(store.isAway()).toBe(true);
    expect(events.away).toMatchObject([{ kind }]);
  });
});
