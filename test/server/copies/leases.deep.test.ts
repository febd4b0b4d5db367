/** What a copy has open, when it is killed or sleeps for longer than its leases last. */
import { expect, onTestFinished, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { type Copies, startCopies } from "../../support/copies.ts";
import { heldUntil } from "../../support/held.ts";
import { type OpenStream, openStream } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { startRedis } from "../../support/redis.ts";

const STREAMS = 3;
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** For the way to the end of a lease and back on a busy machine. */
const SLACK_MS = 5_000;
const options = { tags: "redis", timeout: 180_000 };

async function start(): Promise<Copies> {
  const { url: REDIS_URL } = closeAfterFile(await startRedis());
  const never = heldUntil(new Promise(() => undefined));
  const env = { REDIS_URL, STREAM_LIMIT: String(STREAMS) };
  return startCopies({ count: 2, env, behaviour: never });
}

async function open({ copies }: Copies, index: number): Promise<OpenStream> {
  const body = { user_content: "hello", stream: true };
  const headers = { "x-forwarded-for": "10.0.0.1" };
  const stream = await openStream(copies[index]?.url ?? "", body, { headers });
  onTestFinished(() => stream.hangUp());
  return stream;
}

async function fill(running: Copies): Promise<void> {
  for (let stream = 0; stream < STREAMS; stream += 1) {
    expect((await open(running, 0)).status).toBe(200);
  }
  expect((await open(running, 1)).status).toBe(429);
}

test("what a killed copy had open is free again within 30 seconds", options, async () => {
  const running = await start();
  await fill(running);
  running.copies[0]?.signal("SIGKILL");
  const isFree = async () => (await open(running, 1)).status === 200;
  await until(isFree, { label: "a stream is free", timeoutMs: LEASE_MS + SLACK_MS });
});

test("a copy that slept takes what it has open again, over the limit", options, async () => {
  const running = await start();
  await fill(running);
  running.copies[0]?.signal("SIGSTOP");
  const isFree = async () => (await open(running, 1)).status === 200;
  await until(isFree, { label: "a stream is free", timeoutMs: LEASE_MS + SLACK_MS });
  running.copies[0]?.signal("SIGCONT");
  // one stream ends at the copy that stayed awake, and the sleeper's three fill the limit
  const isFull = async () => {
    const stream = await open(running, 1);
    const { status } = stream;
    stream.hangUp();
    return status === 429;
  };
  await until(isFull, { label: "the limit is full again", timeoutMs: RENEW_MS + SLACK_MS });
});
