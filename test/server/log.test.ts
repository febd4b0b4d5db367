/** A log that nobody takes: the process serves, and ends like any other. */
import { openSync, writeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { createFifo } from "../support/fifo.ts";
import { freePort } from "../support/free-port.ts";
import { heldUntil } from "../support/held.ts";
import { deadline, openStream, postJson } from "../support/http.ts";
import { type Environment, launch, type ProcessOptions, until } from "../support/process.ts";
import { startUpstream } from "../support/upstream.ts";

const WAIT_MS = 20_000;
const TEST_MS = 60_000;
/** SHUTDOWN_SECONDS and one more, as operations.md promises. */
const END_MS = 2_000;
const GET = { method: "GET" };

const outputs = {
  "a full disk": () => openSync("/dev/full", "w"),
  "a pipe that nobody reads": () => createFifo().fd,
  "a pipe that is full from the start": () => {
    const { fd } = createFifo();
    writeUntilFull(fd);
    return fd;
  },
} as const;

function writeUntilFull(fd: number): void {
  try {
    for (;;) writeSync(fd, "x".repeat(4_096));
  } catch {
    // EAGAIN
  }
}

async function serving(env: Environment, options: ProcessOptions) {
  const port = await freePort();
  const settings = { PORT: String(port), SHUTDOWN_SECONDS: "1", LOG_LEVEL: "debug", ...env };
  const started = closeAfterFile(launch(settings, options));
  const url = `http://127.0.0.1:${port}`;
  const answers = async () => {
    const reply = await postJson(`${url}/healthz`, undefined, GET).catch(() => null);
    return reply?.status === 200;
  };
  await until(answers, { label: "it serves", timeoutMs: WAIT_MS });
  return { ...started, url };
}

const exitOf = (started: { exit: Promise<number | null> }, ms: number) =>
  deadline(started.exit, ms, "the process ends");

describe.each(Object.entries(outputs))("standard output is %s", (_name, open) => {
  test(
    "calls are answered, and SIGTERM ends the process in time with 0",
    async () => {
      const parley = await serving({}, { stdout: open() });
      for (let count = 0; count < 400; count += 1) {
        expect((await postJson(`${parley.url}/healthz`, undefined, GET)).status).toBe(200);
      }
      parley.signal("SIGTERM");
      expect(await exitOf(parley, END_MS)).toBe(0);
      expect(parley.stderr()).toBe("");
    },
    TEST_MS,
  );

  test(
    "with an endless answer the process ends in time, too",
    async () => {
      const upstream = closeAfterFile(await startUpstream());
      upstream.behave(heldUntil(new Promise(() => {})));
      const env = { OPENAI_URL: upstream.url, API_KEY: "sk-good" };
      const parley = await serving(env, { stdout: open() });
      const stream = await openStream(parley.url, { user_content: "hi", stream: true });
      parley.signal("SIGTERM");
      expect(await exitOf(parley, END_MS)).toBe(0);
      stream.hangUp();
    },
    TEST_MS,
  );

  test(
    "a second signal ends it at once, and a port in use with 1",
    async () => {
      const upstream = closeAfterFile(await startUpstream());
      upstream.behave(heldUntil(new Promise(() => {})));
      const env = { OPENAI_URL: upstream.url, API_KEY: "sk-good", SHUTDOWN_SECONDS: "60" };
      const parley = await serving(env, { stdout: open() });
      const second = launch({ PORT: new URL(parley.url).port }, { stdout: open() });
      expect(await exitOf(second, WAIT_MS)).toBe(1);

      const stream = await openStream(parley.url, { user_content: "hi", stream: true });
      parley.signal("SIGINT");
      const draining = async () =>
        (await postJson(`${parley.url}/readyz`, undefined, GET)).status === 503;
      await until(draining, { label: "it drains", timeoutMs: WAIT_MS });
      parley.signal("SIGINT");
      expect(await exitOf(parley, END_MS)).toBe(1);
      stream.hangUp();
    },
    TEST_MS,
  );

  test(
    "wrong settings end the start with 78",
    async () => {
      const started = launch({ PORT: "many" }, { stdout: open(), stderr: open() });
      expect(await exitOf(started, WAIT_MS)).toBe(78);
    },
    TEST_MS,
  );
});

test(
  "the reader of the log is gone: the process ends in time with 0",
  async () => {
    const parley = await serving({}, {});
    parley.hangUp();
    for (let count = 0; count < 100; count += 1) {
      await postJson(`${parley.url}/healthz`, undefined, GET);
    }
    parley.signal("SIGINT");
    expect(await exitOf(parley, END_MS)).toBe(0);
  },
  TEST_MS,
);

test(
  "dropped lines are counted in /metrics",
  async () => {
    const parley = await serving({}, { stdout: openSync("/dev/full", "w") });
    const dropped = async () => {
      const many = Array.from({ length: 100 }, () =>
        postJson(`${parley.url}/healthz`, undefined, GET),
      );
      await Promise.all(many);
      const { text } = await postJson(`${parley.url}/metrics`, undefined, GET);
      return Number(/^parley_log_lines_dropped_total (\d+)$/m.exec(text)?.[1]) > 0;
    };
    await until(dropped, { label: "lines are dropped", timeoutMs: WAIT_MS });
  },
  TEST_MS,
);
