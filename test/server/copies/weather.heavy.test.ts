/** What callers and operators see while the shared store is away, for every way in which it goes. */
import { createServer, type Socket } from "node:net";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { STORE_RIGHTS } from "../../../src/limits/shared/rights.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { type Copies, startCopies } from "../../support/copies.ts";
import { postJson } from "../../support/http.ts";
import { type Line, startLine } from "../../support/line.ts";
import { until } from "../../support/process.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { admitted, burst, startTraffic } from "../../support/traffic.ts";

/** The deep ring has more of all. */
const isDeep = process.env.ROUNDS !== undefined;
const COPIES = isDeep ? 4 : 2;
const LIMIT = 20;
const PER_SECOND = isDeep ? 300 : 30;
const HOT = 3;
/** The contract's: of a decision, and from the store's return until it decides again. */
const DECISION_MS = 1_000;
const RETURN_MS = 5_000;

const PASSWORD = "store-password-0123";
const USER = ["--user", `parley on >${PASSWORD} ${STORE_RIGHTS}`.split(" ")].flat();

let server: RedisServer;
let line: Line;
let running: Copies;
let scenes = 0;

async function startStore(port?: number): Promise<RedisServer> {
  return closeAfterFile(await startRedis({ args: USER, ...(port === undefined ? {} : { port }) }));
}

beforeAll(async () => {
  server = await startStore();
  line = closeAfterFile(await startLine(server.port));
  const REDIS_URL = `redis://parley:${PASSWORD}@127.0.0.1:${line.port}`;
  const env = { REDIS_URL, HOUR_LIMIT: String(LIMIT) };
  running = await startCopies({ count: COPIES, env });
}, 60_000);

interface Weather {
  readonly name: string;
  /** As the log names it. */
  readonly cause: RegExp;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** A store that says it is loading, to everything. */
async function startLoading(): Promise<number> {
  const sockets = new Set<Socket>();
  const fake = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.on("data", (bytes) => {
      const commands = String(bytes).match(/^\*\d/gm)?.length ?? 1;
      socket.write("-LOADING Redis is loading the dataset in memory\r\n".repeat(commands));
    });
  });
  await new Promise<void>((resolve) => fake.listen(0, "127.0.0.1", resolve));
  closeAfterFile({
    close: () => {
      for (const socket of sockets) socket.destroy();
      fake.close();
    },
  });
  const address = fake.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const acl = (...rules: readonly string[]) => server.command("ACL", "SETUSER", "parley", ...rules);

const all: readonly Weather[] = [
  {
    name: "killed, and restarted empty",
    cause: /lost/,
    begin: () => server.close(),
    end: async () => {
      server = await startStore(server.port);
    },
  },
  {
    name: "hung",
    cause: /slow/,
    begin: async () => server.signal("SIGSTOP"),
    end: async () => server.signal("SIGCONT"),
  },
  {
    name: "slower by 300 ms",
    cause: /slow/,
    begin: async () => line.delay(300),
    end: async () => line.delay(0),
  },
  {
    name: "out of memory",
    cause: /full/,
    begin: async () => void (await server.command("CONFIG", "SET", "maxmemory", "1")),
    end: async () => void (await server.command("CONFIG", "SET", "maxmemory", "0")),
  },
  {
    name: "read-only",
    cause: /read-only/,
    begin: async () => void (await server.command("REPLICAOF", "127.0.0.1", "1")),
    end: async () => void (await server.command("REPLICAOF", "NO", "ONE")),
  },
  {
    name: "loading",
    cause: /loading/,
    begin: async () => line.leadTo(await startLoading()),
    end: async () => line.leadTo(server.port),
  },
  {
    name: "asked with a password that was changed",
    cause: /refused/,
    begin: async () => {
      await acl("resetpass", ">another");
      await server.command("CLIENT", "KILL", "USER", "parley");
    },
    end: async () => void (await acl("resetpass", `>${PASSWORD}`)),
  },
  {
    name: "asked by a user who has lost a right",
    cause: /refused/,
    begin: async () => void (await acl("-zadd")),
    end: async () => void (await acl("+zadd")),
  },
  {
    name: "failed over",
    cause: /read-only/,
    begin: async () => {
      const replica = await startStore();
      await replica.command("REPLICAOF", "127.0.0.1", String(server.port));
      const isInStep = async () =>
        /master_link_status:up/.test(String(await replica.command("INFO", "replication")));
      await until(isInStep, { label: "the replica is in step", timeoutMs: 10_000 });
      // open connections stay with the old one, which becomes read-only
      line.leadTo(replica.port, "stay");
      await server.command("REPLICAOF", "127.0.0.1", String(replica.port));
      await until(() => logged(/limits_divided/, marks), { label: "away", timeoutMs: RETURN_MS });
      server = replica;
    },
    end: async () => void (await server.command("REPLICAOF", "NO", "ONE")),
  },
];

/** How much each copy had logged when the weather began. */
let marks: readonly number[] = [];

/** Whether every copy has written such a line since. */
function logged(pattern: RegExp, since: readonly number[]): boolean {
  return running.copies.every(({ output }, index) =>
    output.slice(since[index]).some((text) => pattern.test(text)),
  );
}

async function readiness() {
  return Promise.all(
    running.copies.map(async ({ url }) => {
      const { status, json } = await postJson(`${url}/readyz`, undefined, { method: "GET" });
      return { status, degraded: (json as { degraded?: readonly string[] }).degraded };
    }),
  );
}

/** Looks ten times a second: each look asks the databases, too. */
const untilEach = (degraded: readonly string[], timeout: number) =>
  vi.waitFor(
    async () => {
      const each = { status: 200, degraded };
      expect(await readiness()).toEqual(running.copies.map(() => each));
    },
    { timeout, interval: 100 },
  );

/** Calls from addresses whose limits are spent soon, and one of five from an address of its own. */
function startCalls(scene: number) {
  const hot = Array.from({ length: HOT }, (_, index) => `10.${scene}.0.${index + 1}`);
  const urls = running.copies.map(({ url }) => url);
  let turn = 0;
  const address = () => {
    turn += 1;
    const cold = `10.${100 + scene}.${(turn >> 8) & 255}.${turn & 255}`;
    return turn % 5 === 0 ? cold : (hot[turn % HOT] ?? cold);
  };
  const traffic = startTraffic({ urls, perSecond: PER_SECOND, address });
  const healthUrls = urls.map((url) => `${url}/healthz`);
  const others = startTraffic({
    urls: healthUrls,
    perSecond: 10,
    address: () => hot[0] ?? "",
    gets: true,
  });
  return {
    hot,
    urls,
    calls: traffic.calls,
    /** What this machine takes at worst for a request that nobody counts. Milliseconds. */
    slowestMs: () => Math.max(0, ...others.calls.map(({ tookMs }) => tookMs)),
    stop: () => Promise.all([traffic.stop(), others.stop()]),
  };
}

/** Of an address that is new, in a burst during which the store was there for all copies. */
async function admittedOfBurst(urls: readonly string[]): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    await untilEach([], RETURN_MS);
    const lines = running.copies.map(({ output }) => output.length);
    const count = admitted(await burst(urls, `10.${scenes}.1.${attempt}`, 3 * LIMIT));
    const wasAway = running.copies.some(({ output }, index) =>
      output.slice(lines[index]).some((text) => text.includes("limits_divided")),
    );
    // a busy machine may stop the store for a moment
    if (!wasAway || attempt === 5) return count;
  }
}

describe("while the store is", { tags: "redis", timeout: 90_000 }, () => {
  test.each(all)("$name", async ({ cause, begin, end }) => {
    scenes += 1;
    await untilEach([], 30_000);
    const { hot, urls, calls, slowestMs, stop } = startCalls(scenes);
    onTestFinished(async () => void (await stop()));
    const spent = () => hot.map((one) => admitted(calls, one));
    const isSpent = () => spent().every((count) => count >= LIMIT);
    await until(isSpent, { label: "limits are spent", timeoutMs: 30_000 });

    marks = running.copies.map(({ output }) => output.length);
    const before = calls.length;
    await begin();
    let ended = false;
    const endOnce = async () => {
      if (!ended) await end();
      ended = true;
    };
    onTestFinished(endOnce);
    const isNamed = () => logged(new RegExp(`limits_divided.*"cause":"(${cause.source})"`), marks);
    await until(isNamed, { label: "the log says so", timeoutMs: RETURN_MS + 5 * slowestMs() });
    await untilEach(["limits"], RETURN_MS);
    const isCalled = () => calls.length > before + 2 * PER_SECOND;
    await until(isCalled, { label: "calls meanwhile", timeoutMs: 20_000 });

    await endOnce();
    await untilEach([], RETURN_MS + 5 * slowestMs());
    const isTold = () => logged(/limits are shared/, marks);
    await until(isTold, { label: "the log says that it is back", timeoutMs: RETURN_MS });
    await stop();
    const fresh = await admittedOfBurst(urls);
    const worstMs = Math.max(...calls.slice(before).map(({ tookMs }) => tookMs));
    expect(calls.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
    for (const count of spent()) expect(count).toBeLessThanOrEqual(2 * LIMIT + COPIES);
    expect(fresh).toBe(LIMIT);
    expect(worstMs).toBeLessThan(DECISION_MS + 2 * slowestMs());
  });

  test("told to forget its scripts, nobody notices", async () => {
    scenes += 1;
    await untilEach([], 30_000);
    const { calls, stop } = startCalls(scenes);
    onTestFinished(async () => void (await stop()));
    for (let turn = 1; turn <= 10; turn += 1) {
      const before = calls.length;
      await server.command("SCRIPT", "FLUSH");
      await until(() => calls.length > before + 3, { label: "calls", timeoutMs: 20_000 });
    }
    await stop();
    expect(calls.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
    expect(await admittedOfBurst(running.copies.map(({ url }) => url))).toBe(LIMIT);
    const stats = String(await server.command("INFO", "errorstats"));
    expect(stats).toMatch(/errorstat_NOSCRIPT:count=[1-9]/);
  });
});
