/** Idempotent answers of two copies on one real store. */
import { Redis } from "ioredis";
import { beforeAll, describe, expect, test } from "vitest";
import { LightSignal } from "../../src/core/call/call.ts";
import { ProxyError } from "../../src/core/errors.ts";
import type { IdempotencyStore } from "../../src/core/ports.ts";
import { createSharedIdempotency } from "../../src/limits/shared/idempotency.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { startRedis } from "../support/redis.ts";
import { describeNamedCalls } from "./fixtures/described-calls.ts";
import { createAsker, namedCall, told } from "./fixtures/named-calls.ts";
import { createPacedClock } from "./fixtures/paced-clock.ts";
import { openTestStore, type TestStore } from "./fixtures/test-store.ts";

const SECRET = "the secret of this installation";
const LEASE_MS = 30_000;
const TEN_MINUTES_MS = 600_000;
const SMALL_BYTES = 4_096;

let port = 0;
let redis: Redis;
let installations = 0;

beforeAll(async () => {
  ({ port } = closeAfterFile(await startRedis()));
  redis = new Redis(port, { lazyConnect: true });
  await redis.connect();
  closeAfterFile({ close: () => redis.disconnect() });
});

interface Copy {
  readonly store: TestStore;
  readonly answers: IdempotencyStore;
}

/** Copies of one installation; their store has their time. */
async function openCopies({ count = 2, maxBytes = 67_108_864, secrets = [SECRET] } = {}) {
  installations += 1;
  const prefix = `test:${installations}`;
  const clock = createPacedClock();
  const time = { offMs: 0 };
  const open = async (at: number): Promise<Copy> => {
    const store = closeAfterFile(await openTestStore(port, prefix));
    const storeTime = () => (clock.wallMs() + time.offMs) * 1_000;
    const secret = secrets[at] ?? SECRET;
    const answers = createSharedIdempotency({ store, clock, secret, storeTime, maxBytes });
    return { store, answers };
  };
  const copies = await Promise.all(Array.from({ length: count }, (_, at) => open(at)));
  const [first, second] = copies as [Copy, Copy];
  return { clock, time, prefix, copies, first, second };
}

/** Every key of an installation. A test may look at all of them. */
async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const some of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    keys.push(...(some as string[]));
  }
  return [...new Set(keys)].toSorted();
}

describe("on a shared store", { tags: "redis" }, () => {
  describeNamedCalls("a named call", async () => {
    const { clock, first, second } = await openCopies();
    return { clock, copies: [first.answers, second.answers] };
  });

  describe.concurrent("a copy that asks", () => {
    test("has its call for longer than a lease, while others wait", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      const asked = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const waits = told(second.answers, namedCall("a"), asker.later);
      await clock.until(clock.sleep(2 * LEASE_MS, new LightSignal()));
      asker.answer();
      expect(await clock.until(Promise.all([asked, waits]))).toEqual(["answer 1", "answer 1"]);
      expect(asker.asked).toBe(1);
    });

    test("and dies loses the call: who waits is told so, and then the name is free", async () => {
      const { clock, copies, first, second } = await openCopies({ count: 3 });
      const asker = createAsker("answer");
      void told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const waits = copies.slice(1).map(({ answers }) => told(answers, namedCall("a"), asker.now));
      first.store.state = "away";
      expect(await clock.until(Promise.all(waits))).toEqual([
        "idempotency_lost",
        "idempotency_lost",
      ]);
      expect(await clock.until(told(second.answers, namedCall("a"), asker.now))).toBe("answer 2");
    });

    test("and died long ago has lost the call, too", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      void told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      first.store.state = "away";
      clock.forward(2 * LEASE_MS);
      const again = () => clock.until(told(second.answers, namedCall("a"), asker.now));
      expect([await again(), await again()]).toEqual(["idempotency_lost", "answer 2"]);
    });

    test("and dies has its call for a lease at most, though the store's clock goes back", async () => {
      const { clock, time, first, second } = await openCopies();
      const asker = createAsker("answer");
      void told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      first.store.state = "away";
      time.offMs = -TEN_MINUTES_MS;
      const startMs = clock.monotonicMs();
      expect(await clock.until(told(second.answers, namedCall("a"), asker.now))).toBe(
        "idempotency_lost",
      );
      expect(clock.monotonicMs() - startMs).toBeLessThan(LEASE_MS + 1_000);
    });

    test("and was stopped for longer than its lease does not replace a later answer", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      const stopped = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      first.store.state = "away";
      clock.forward(LEASE_MS);
      const again = () => clock.until(told(second.answers, namedCall("a"), asker.now));
      expect([await again(), await again()]).toEqual(["idempotency_lost", "answer 2"]);
      first.store.state = "there";
      asker.answer(1);
      expect(await stopped).toBe("answer 1");
      // what comes after it in the store has been told
      await clock.until(told(first.answers, namedCall("b"), asker.now));
      expect(await again()).toBe("answer 2");
    });

    test("and fails lets one of those that wait ask", async () => {
      const { clock, copies, first } = await openCopies({ count: 4 });
      const asker = createAsker("answer");
      const failed = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const waits = copies
        .slice(1)
        .map(({ answers }) => told(answers, namedCall("a"), asker.later));
      asker.fail(new ProxyError("draining"));
      expect(await failed).toBe("draining");
      await clock.until(asker.reached(2));
      asker.answer();
      expect(await clock.until(Promise.all(waits))).toEqual(waits.map(() => "answer 2"));
      expect(asker.asked).toBe(2);
    });
  });

  describe.concurrent("a call that waits for another copy", () => {
    test("ends when the first one would have", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      const asked = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const startMs = clock.monotonicMs();
      const waits = told(second.answers, namedCall("a", { maxMs: 40_000 }), asker.now);
      expect(await clock.until(waits)).toBe("idempotency_in_progress");
      const tookMs = clock.monotonicMs() - startMs;
      expect([tookMs >= 40_000, tookMs <= 40_500]).toEqual([true, true]);
      asker.answer();
      expect(await asked).toBe("answer 1");
    });

    test("ends when its client leaves, and others of its copy wait on", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      const asked = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const signal = new LightSignal();
      const leaves = told(second.answers, namedCall("a", { signal }), asker.now);
      const stays = told(second.answers, namedCall("a"), asker.now);
      signal.abort();
      expect(await clock.until(leaves)).toBe("canceled");
      asker.answer();
      expect(await clock.until(Promise.all([asked, stays]))).toEqual(["answer 1", "answer 1"]);
      expect(asker.asked).toBe(1);
    });

    test("ends with its copy", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      void told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const signal = new LightSignal();
      const waits = told(second.answers, namedCall("a", { signal }), asker.now);
      signal.abort(new ProxyError("draining"));
      expect(await clock.until(waits)).toBe("draining");
    });

    test("goes on while the store is away, and ends with the lease if it stays away", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      const asked = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const waits = told(second.answers, namedCall("a"), asker.now);
      second.store.state = "away";
      clock.forward(LEASE_MS / 2);
      second.store.state = "there";
      const other = told(second.answers, namedCall("b"), asker.now);
      expect(await clock.until(other)).toBe("answer 2");
      second.store.state = "away";
      expect(await clock.until(waits)).toBe("idempotency_lost");
      asker.answer(1);
      expect(await asked).toBe("answer 1");
    });

    test("is told that the call is lost when the store has come back empty", async () => {
      const { clock, prefix, first, second } = await openCopies();
      const asker = createAsker("answer");
      void told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const waits = told(second.answers, namedCall("a"), asker.now);
      await clock.until(Promise.resolve(redis.del(await keysOf(prefix))));
      expect(await clock.until(waits)).toBe("idempotency_lost");
    });
  });

  describe.concurrent("a copy without the store", () => {
    test("asks by itself, and remembers the answer in memory only", async () => {
      const { clock, prefix, first, second } = await openCopies();
      const asker = createAsker("answer");
      first.store.state = "away";
      const ask = (copy: Copy) => clock.until(told(copy.answers, namedCall("a"), asker.now));
      expect([await ask(first), await ask(first)]).toEqual(["answer 1", "answer 1"]);
      expect(await keysOf(prefix)).toEqual([]);
      expect(await ask(second)).toBe("answer 2");
      first.store.state = "there";
      expect(await ask(first)).toBe("answer 1");
    });

    test("when the answer comes gives it to its client, and remembers it in memory", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      const asked = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      first.store.state = "away";
      asker.answer();
      expect(await asked).toBe("answer 1");
      expect(await clock.until(told(first.answers, namedCall("a"), asker.now))).toBe("answer 1");
      const waits = told(second.answers, namedCall("a"), asker.now);
      expect(await clock.until(waits)).toBe("idempotency_lost");
    });

    test("that is told too late that it may ask gives the name back", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      first.store.state = "late";
      const asked = told(first.answers, namedCall("a"), asker.later);
      await clock.until(asker.reached(1));
      const startMs = clock.monotonicMs();
      const waits = told(second.answers, namedCall("a"), asker.now);
      expect(await clock.until(waits)).toBe("answer 2");
      expect(clock.monotonicMs() - startMs).toBeLessThan(LEASE_MS / 2);
      asker.answer(1);
      expect(await asked).toBe("answer 1");
    });
  });

  describe.concurrent("the room for answers", () => {
    /** Asks on either copy in turn, and tells whether the upstream was asked. */
    async function openRoom(smallAnswers: number) {
      const opened = await openCopies({ maxBytes: smallAnswers * SMALL_BYTES });
      let turn = 0;
      const asks = async (name: string, bucket: string, size = 0) => {
        const asker = createAsker(name);
        const copy = opened.copies[turn % 2]!;
        turn += 1;
        // none is as old as another
        opened.clock.forward(1);
        await opened.clock.until(
          told(copy.answers, namedCall(name, { bucket }), () => asker.now(size)),
        );
        await copy.store.settled();
        return asker.asked === 1;
      };
      return { ...opened, asks };
    }
    const names = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, at) => `${prefix}${at}`);

    test("is given to who has less as soon as others need more than what is free", async () => {
      const { asks } = await openRoom(16);
      for (const name of names("a", 16)) await asks(name, "a");
      expect(await asks("a0", "a")).toBe(false);
      for (const name of names("b", 4)) await asks(name, "b");
      for (const name of names("b", 4)) expect(await asks(name, "b")).toBe(false);
      expect(await asks("a15", "a")).toBe(false);
      expect(await asks("a3", "a")).toBe(true);
    });

    test("that is a bucket's share is for its next answers only", async () => {
      const { asks } = await openRoom(16);
      for (const bucket of ["a", "b", "c", "d"]) {
        for (const name of names(bucket, 4)) await asks(name, bucket);
      }
      await asks("one more", "a");
      expect(await asks("one more", "a")).toBe(false);
      expect(await asks("b0", "b")).toBe(false);
      // larger than a share: it would have to take from the others
      await asks("large", "a", 5 * SMALL_BYTES);
      expect(await asks("b0", "b")).toBe(false);
      expect(await asks("large", "a", 5 * SMALL_BYTES)).toBe(true);
    });

    test("holds no answer above 1 MiB", async () => {
      const { asks } = await openRoom(16_384);
      expect(await asks("kept", "a", 1_000_000)).toBe(true);
      expect(await asks("kept", "a")).toBe(false);
      expect(await asks("large", "a", 1_048_576)).toBe(true);
      expect(await asks("large", "a")).toBe(true);
    });

    test("is counted exactly, whatever comes and goes, and every key ends by itself", async () => {
      const { asks, clock, prefix } = await openRoom(24);
      const seed = Math.floor(Math.random() * 2 ** 31);
      const random = createRandom(seed);
      for (let step = 0; step < 300; step += 1) {
        await asks(`n${random(60)}`, `b${random(6)}`, random(5) * SMALL_BYTES);
        if (random(10) === 0) clock.forward(random(TEN_MINUTES_MS / 4));
      }
      const counted = await roomOf(prefix);
      expect(counted, `seed ${seed}`).toEqual(await heldOf(prefix));
      expect(counted.all).toBeLessThanOrEqual(24 * SMALL_BYTES);
      for (const key of await keysOf(prefix)) expect(await redis.pttl(key)).toBeGreaterThan(0);
    });

    test("is free of what has expired", async () => {
      const { asks, clock, prefix } = await openRoom(16);
      for (const name of names("a", 16)) await asks(name, "a");
      clock.forward(TEN_MINUTES_MS);
      await asks("b", "b");
      expect((await roomOf(prefix)).all).toBe(SMALL_BYTES);
      expect(await keysOf(prefix)).toHaveLength(4);
    });

    test("is free again ten minutes after the store's clock went back", async () => {
      const { asks, clock, time, prefix } = await openRoom(16);
      for (const name of names("a", 8)) await asks(name, "a");
      time.offMs = -10 * TEN_MINUTES_MS;
      expect(await asks("b0", "b")).toBe(true);
      expect([await asks("a0", "a"), await asks("b0", "b")]).toEqual([false, false]);
      clock.forward(TEN_MINUTES_MS);
      expect(await asks("b1", "b")).toBe(true);
      expect((await roomOf(prefix)).all).toBe(SMALL_BYTES);
      expect(await asks("a1", "a")).toBe(true);
    });

    test("heals when the store has evicted a part of what counts it", async () => {
      for (const lost of ["answers-end", "answers-of", "answers-bytes"]) {
        const { asks, prefix } = await openRoom(16);
        for (const name of names("a", 16)) await asks(name, "a");
        await redis.del(`${prefix}:${lost}:{answers}`);
        for (const name of names("b", 16)) await asks(name, "b");
        expect(await asks("b15", "b"), lost).toBe(false);
      }
    });
  });

  describe.concurrent("in the store", () => {
    const secrets = ["sk-caller-0123456789", "Idempotency-Key-0123", "192.0.2.77", "its content"];
    const call = (fields = {}) =>
      namedCall(`token 7 ${secrets[1]}`, {
        fingerprint: "digest-of-the-request",
        bucket: secrets[2]!,
        seal: secrets[0]!,
        ...fields,
      });

    test("nothing can be read: no content, credential, address, key or name", async () => {
      const { clock, prefix, first } = await openCopies();
      const asker = createAsker(secrets[3]!);
      await clock.until(told(first.answers, call(), asker.now));
      const waits = createAsker("under way");
      void told(first.answers, call({ name: `token 8 ${secrets[1]}` }), waits.later);
      await clock.until(waits.reached(1));
      const dump = await dumpOf(prefix);
      expect(dump.length).toBeGreaterThan(500);
      const hidden = [...secrets, "token 7", "token 8", "digest-of-the-request", SECRET, "json"];
      for (const one of hidden) {
        for (const written of [
          one,
          Buffer.from(one).toString("hex"),
          btoa(one).replace(/=+$/, ""),
        ]) {
          expect(dump.includes(written), one).toBe(false);
        }
      }
    });

    test("an answer that is damaged is asked again, and replaced", async () => {
      const { clock, prefix, first, second } = await openCopies();
      const asker = createAsker("answer");
      const ask = (copy: Copy) => clock.until(told(copy.answers, call(), asker.now));
      await ask(first);
      const [record = ""] = (await keysOf(prefix)).filter((key) => key.includes(":answer-"));
      const sealed = (await redis.hgetBuffer(record, "bytes")) ?? Buffer.alloc(0);
      for (const [at, damaged] of [
        Buffer.from(sealed.map((byte, place) => (place === 20 ? byte ^ 1 : byte))),
        sealed.subarray(0, -1),
        Buffer.alloc(0),
      ].entries()) {
        await redis.hset(record, "bytes", damaged);
        const again = `answer ${at + 2}`;
        expect([await ask(second), await ask(first)]).toEqual([again, again]);
      }
    });

    test("an answer opens for nobody else, be it the same name", async () => {
      const { clock, first, second } = await openCopies();
      const asker = createAsker("answer");
      await clock.until(told(first.answers, call(), asker.now));
      const other = () => clock.until(told(second.answers, call({ seal: "sk-other" }), asker.now));
      expect([await other(), await other()]).toEqual(["answer 2", "answer 2"]);
    });

    test("another installation finds nothing, also under the same keys", async () => {
      const { clock, first, second } = await openCopies({ secrets: [SECRET, "another secret"] });
      const asker = createAsker("answer");
      const ask = (copy: Copy) => clock.until(told(copy.answers, call(), asker.now));
      expect([await ask(first), await ask(second)]).toEqual(["answer 1", "answer 2"]);
      expect([await ask(first), await ask(second)]).toEqual(["answer 1", "answer 2"]);
    });
  });
});

/** Numbers below a bound, the same for a seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

/** What the store counts of each bucket and of all. */
async function roomOf(prefix: string): Promise<Record<string, number>> {
  const words = await redis.zrange(`${prefix}:answers-bytes:{answers}`, "0", "-1", "WITHSCORES");
  const room: Record<string, number> = {};
  for (let at = 0; at < words.length; at += 2) room[words[at]!] = Number(words[at + 1]);
  return room;
}

/** The same of the members of both orders, each of which must have its answer. */
async function heldOf(prefix: string): Promise<Record<string, number>> {
  const members = await redis.zrange(`${prefix}:answers-end:{answers}`, "0", "-1");
  const others = await redis.zrange(`${prefix}:answers-of:{answers}`, "0", "-1");
  expect(others).toEqual(members.toSorted());
  const held: Record<string, number> = { all: 0 };
  for (const member of members) {
    const [bucket = "", , name = "", bytes] = member.split(":");
    const record = `${prefix}:answer-${name}:{answers}`;
    expect(await redis.hget(record, "member")).toBe(member);
    const sealed = await redis.hstrlen(record, "bytes");
    expect(Number(bytes)).toBe(Math.max(sealed, SMALL_BYTES));
    held[bucket] = (held[bucket] ?? 0) + Number(bytes);
    held.all = (held.all ?? 0) + Number(bytes);
  }
  return held;
}

/** Every key with every value, as text of its bytes. */
async function dumpOf(prefix: string): Promise<string> {
  const parts: string[] = [];
  for (const key of await keysOf(prefix)) {
    const isHash = (await redis.type(key)) === "hash";
    const values = isHash
      ? Object.entries(await redis.hgetallBuffer(key)).flat()
      : await redis.zrangeBuffer(key, "0", "-1");
    parts.push(key, ...values.map((value) => Buffer.from(value).toString("latin1")));
  }
  return parts.join("\n");
}
