/** Parley with the rights that compose.scale.yml gives its user of the store, and no other. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { beforeAll, describe, expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { type RunningParley, startParley } from "../support/parley.ts";
import { startRedis } from "../support/redis.ts";
import { startUpstream } from "../support/upstream.ts";
import { fileText } from "./manifests.ts";

const rights = /RIGHTS: "(.*)"/.exec(fileText("compose.scale.yml"))?.[1]?.split(" ") ?? [];
const PASSWORD = "store-0123456789";
const LIMIT = 6;

describe("the user of the store", { tags: "redis" }, () => {
  let copies: readonly RunningParley[];
  let operator: Redis;
  let user: Redis;

  beforeAll(async () => {
    const redis = closeAfterFile(
      await startRedis({ args: ["--user", "parley", "on", `>${PASSWORD}`, ...rights] }),
    );
    const upstream = closeAfterFile(await startUpstream());
    // one database, as the keys of each installation have a part of their own
    const folder = mkdtempSync(join(tmpdir(), "parley-rights-"));
    closeAfterFile({ close: () => rmSync(folder, { recursive: true }) });
    const env = {
      DATA_DIR: folder,
      OPENAI_URL: upstream.url,
      API_KEY: "sk-limited-0123456789, sk-good-0123456789",
      REDIS_URL: `redis://parley:${PASSWORD}@127.0.0.1:${redis.port}`,
      // what is not allowed is an error, not a reason to count elsewhere
      LIMITS_WITHOUT_REDIS: "refuse",
      HOUR_LIMIT: String(LIMIT),
      STREAM_LIMIT: "2",
    };
    copies = await Promise.all([1, 2].map(async () => closeAfterFile(await startParley(env))));
    operator = open(redis.port);
    user = open(redis.port, { username: "parley", password: PASSWORD });
  });

  test("may do whatever calls need, over all copies", async () => {
    const statuses: number[] = [];
    for (const call of [askShort, askStreamed, askOnce, askShort, askStreamed, askOnce, askShort]) {
      for (const copy of copies) statuses.push(await call(copy));
    }
    const refused = Array.from({ length: statuses.length - LIMIT }, () => 429);
    expect(statuses).toEqual([...Array.from({ length: LIMIT }, () => 200), ...refused]);
    expect(await operator.call("ACL", "LOG")).toEqual([]);
  });

  test.each([
    ["FLUSHALL"],
    ["KEYS", "*"],
    ["CONFIG", "GET", "dir"],
    ["PUBLISH", "parley:news", "x"],
    ["GET", "other:key"],
    ["EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "other:key"],
    ["EVAL", "return redis.call('KEYS', '*')", "0"],
  ])("may not %s %s", async (command, ...args) => {
    await expect(user.call(command, ...args)).rejects.toThrow(/NOPERM|can't (run|access)/);
  });
});

function open(port: number, options: { username?: string; password?: string } = {}): Redis {
  const redis = new Redis({ port, host: "127.0.0.1", enableReadyCheck: false, ...options });
  closeAfterFile({ close: () => redis.disconnect() });
  return redis;
}

const question = { user_content: "Why is the sky blue?" };

async function askShort({ url }: RunningParley): Promise<number> {
  return (await postJson(url, question)).status;
}

async function askOnce({ origin }: RunningParley): Promise<number> {
  const messages = [{ role: "user", content: question.user_content }];
  const headers = { authorization: "Bearer sk-own-0123456789", "idempotency-key": "one" };
  const body = { model: "gpt-4o-mini", messages };
  return (await postJson(`${origin}/v1/chat/completions`, body, { headers })).status;
}

async function askStreamed({ url }: RunningParley): Promise<number> {
  return (await postJson(url, { ...question, stream: true })).status;
}
