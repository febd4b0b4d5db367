import { describe, expect, onTestFinished, test } from "vitest";
import { type Env, kinds, parleyHere, settingsFor } from "../admin/support.ts";
import { heldUntil } from "../support/held.ts";
import { deadline, openStream, postJson, type Reply } from "../support/http.ts";
import { launch, type ParleyProcess, startProcess } from "../support/process.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { connect, connectInVain } from "../support/websocket.ts";

const WAIT_MS = 20_000;
const TEST_MS = 60_000;
/** Of 2 workers each is left out by so many connections once in 2 ** 199 runs. */
const CROWD = 200;
const QUESTION = { user_content: "one two three" };
const STREAMED = { ...QUESTION, stream: true };
const CHAT = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };
const ADMIN_TOKEN = "admin-token-0123456789";

interface Running {
  readonly parley: ParleyProcess;
  readonly upstream: ScriptedUpstream;
}

async function start(env: Env = {}): Promise<Running> {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const settings = { OPENAI_URL: upstream.url, API_KEY: "sk-good", WORKERS: "2", ...env };
  const parley = await startProcess(settings);
  onTestFinished(() => parley.close());
  return { parley, upstream };
}

/** So many at once, each on a connection of its own. */
const crowd = <T>(ask: (turn: number) => Promise<T>, size = CROWD): Promise<T[]> =>
  Promise.all(Array.from({ length: size }, (_, turn) => ask(turn)));

const withStatus = (replies: readonly { status: number }[], status: number) =>
  replies.filter((reply) => reply.status === status).length;

async function ended(parley: ParleyProcess): Promise<number | null> {
  parley.signal("SIGTERM");
  return deadline(parley.exit, WAIT_MS, "the process ends");
}

/** How many requests each worker has logged; all are there once the process has ended. */
function served({ output }: ParleyProcess): number[] {
  const lines = output.filter((line) => line.includes('"msg":"request"'));
  return [0, 1].map((worker) => lines.filter((line) => line.includes(`"worker":${worker}`)).length);
}

describe("two workers", () => {
  test.each(kinds)(
    "admit what one would, and write one ledger on %s",
    async (kind) => {
      const env = await settingsFor(kind);
      const { parley, upstream } = await start({ ...env, HOUR_LIMIT: "50" });
      const replies = await crowd(() => postJson(parley.url, QUESTION));
      expect([withStatus(replies, 200), withStatus(replies, 429)]).toEqual([50, CROWD - 50]);
      const left = replies.map(({ headers }) =>
        Number(/r=(\d+)/.exec(String(headers.ratelimit))?.[1]),
      );
      const admitted = left.filter((_, turn) => replies[turn]?.status === 200);
      expect(admitted.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
      expect(upstream.requests).toHaveLength(50);
      expect(await ended(parley)).toBe(0);
      expect(Math.min(...served(parley))).toBeGreaterThan(0);
      const usage = await parleyHere(env, ["usage", "--json"]);
      expect(usage.json()).toMatchObject([{ requests: 50 }]);
      expect(parley.output.filter((line) => line.includes('"drained"'))).toHaveLength(1);
    },
    TEST_MS,
  );

  test(
    "say the same of all calls, whichever is asked for metrics",
    async () => {
      const { parley } = await start();
      await crowd(() => postJson(parley.url, QUESTION));
      const texts = await crowd(async () => {
        const { text } = await postJson(`${parley.url}/metrics`, undefined, { method: "GET" });
        return text;
      }, 40);
      const rows = (name: string) =>
        new Set(texts.flatMap((text) => text.split("\n").filter((row) => row.startsWith(name))));
      expect(rows("parley_calls_total")).toEqual(
        new Set([`parley_calls_total{dialect="envelope",outcome="completed"} ${CROWD}`]),
      );
      expect(rows("parley_time_to_first_token_seconds_count").size).toBe(0);
      expect(rows("parley_process_start_time_seconds").size).toBe(1);
      const [resident = ""] = rows("parley_process_resident_memory_bytes ");
      expect(Number(resident.split(" ")[1])).toBeLessThan(1.5 * parley.residentBytes());
      await ended(parley);
      expect(Math.min(...served(parley))).toBeGreaterThan(0);
    },
    TEST_MS,
  );

  test(
    "hold STREAM_LIMIT and WS_CONNECTIONS together",
    async () => {
      const { parley, upstream } = await start({ STREAM_LIMIT: "4", WS_CONNECTIONS: "3" });
      const go = Promise.withResolvers<void>();
      upstream.behave(heldUntil(go.promise));
      const streams = await crowd(() => openStream(parley.url, STREAMED), 40);
      expect([withStatus(streams, 200), withStatus(streams, 429)]).toEqual([4, 36]);
      go.resolve();
      const sockets = await Promise.allSettled(
        Array.from({ length: 30 }, () => connect(`${parley.url}/ask`)),
      );
      expect(sockets.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
      const refused = await connectInVain(`${parley.url}/ask`);
      expect(refused.status).toBe(429);
    },
    TEST_MS,
  );

  test(
    "see at once what the operator changes by way of one of them",
    async () => {
      const { parley } = await start({ ADMIN_TOKEN });
      const admin = (method: string, path: string, body?: unknown) =>
        postJson(`${parley.url}/admin${path}`, body, {
          method,
          headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
        });
      const made = await admin("POST", "/tokens", { name: "alice", hour_limit: 60 });
      const { id, token } = made.json as { id: string; token: string };
      const headers = { authorization: `Bearer ${token}` };
      const ask = () => postJson(`${parley.url}/v1/chat/completions`, CHAT, { headers });
      expect(withStatus(await crowd(ask, 40), 400)).toBe(40);
      await admin("POST", "/prices", { model: "gpt-4o-mini", input: "0.15", output: "0.6" });
      const replies = await crowd(ask, 100);
      expect([withStatus(replies, 200), withStatus(replies, 429)]).toEqual([60, 40]);
      await admin("DELETE", `/tokens/${id}`);
      expect(withStatus(await crowd(ask, 40), 401)).toBe(40);
      await ended(parley);
      expect(Math.min(...served(parley))).toBeGreaterThan(0);
    },
    TEST_MS,
  );

  test(
    "spend one call on a key for repeated calls, and refuse it for another",
    async () => {
      const { parley, upstream } = await start();
      const ask = (key: string, body: unknown = CHAT): Promise<Reply> =>
        postJson(`${parley.url}/v1/chat/completions`, body, {
          headers: { authorization: "Bearer sk-own", "idempotency-key": key },
        });
      const go = Promise.withResolvers<void>();
      upstream.behave(heldUntil(go.promise));
      const asked = crowd(() => ask("first"), 40);
      await upstream.waitFor(() => upstream.open() > 0, { label: "one call", timeoutMs: WAIT_MS });
      go.resolve();
      const replies = [...(await asked), ...(await crowd(() => ask("first"), 40))];
      expect(withStatus(replies, 200)).toBe(80);
      expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
      expect(upstream.requests).toHaveLength(1);
      const others = await crowd(() => ask("first", { ...CHAT, temperature: 1 }), 20);
      expect(withStatus(others, 422)).toBe(20);
      await ended(parley);
      expect(Math.min(...served(parley))).toBeGreaterThan(0);
    },
    TEST_MS,
  );
});

describe("the end of two workers", () => {
  test(
    "lets open streams end on both",
    async () => {
      const { parley, upstream } = await start({ SHUTDOWN_SECONDS: "30" });
      const go = Promise.withResolvers<void>();
      upstream.behave(heldUntil(go.promise));
      const streams = await crowd(() => openStream(parley.url, STREAMED), 40);
      const events = streams.map(async (stream) => {
        let last = "";
        for await (const event of stream.events) last = event;
        return last;
      });
      parley.signal("SIGTERM");
      const draining = JSON.parse(await parley.waitForLog(/"draining"/));
      expect(draining.open_calls).toBe(40);
      const refused = await crowd(() => postJson(parley.url, QUESTION), 20);
      expect(withStatus(refused, 503)).toBe(20);
      go.resolve();
      const last = await deadline(Promise.all(events), WAIT_MS, "all streams end");
      expect(last).toEqual(Array(40).fill("[DONE]"));
      expect(await deadline(parley.exit, WAIT_MS, "the process ends")).toBe(0);
      const drained = parley.output.filter((line) => line.includes('"drained"'));
      expect(drained.map((line) => JSON.parse(line).cut)).toEqual([0]);
      expect(Math.min(...served(parley))).toBeGreaterThan(0);
    },
    TEST_MS,
  );

  test(
    "cuts what lasts too long, and counts it together",
    async () => {
      const { parley, upstream } = await start({ SHUTDOWN_SECONDS: "1" });
      upstream.behave(heldUntil(new Promise(() => {})));
      await crowd(() => openStream(parley.url, STREAMED), 30);
      expect(await ended(parley)).toBe(0);
      const drained = parley.output.find((line) => line.includes('"drained"')) ?? "{}";
      expect(JSON.parse(drained).cut).toBe(30);
    },
    TEST_MS,
  );

  test.each([
    ["throws where nobody catches", "throw new Error('unforeseen')"],
    ["stops", "process.exit(0)"],
  ])(
    "comes with code 1 when a thread %s",
    async (_how, code) => {
      const preload = `import { BroadcastChannel, isMainThread } from "node:worker_threads";
      const channel = new BroadcastChannel("break");
      channel.unref();
      if (isMainThread) process.on("SIGUSR2", () => channel.postMessage(null));
      else channel.onmessage = () => setImmediate(() => { ${code}; });`;
      const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(preload)}`;
      const { parley, upstream } = await start({ NODE_OPTIONS, SHUTDOWN_SECONDS: "30" });
      const go = Promise.withResolvers<void>();
      upstream.behave(heldUntil(go.promise));
      const open = crowd(() => postJson(parley.url, QUESTION).catch(() => null), 20);
      await upstream.waitFor(() => upstream.open() === 20, { label: "20", timeoutMs: WAIT_MS });
      parley.signal("SIGUSR2");
      await parley.waitForLog(/"draining"/);
      go.resolve();
      expect((await open).filter((reply) => reply?.status === 200).length).toBeGreaterThan(0);
      expect(await deadline(parley.exit, WAIT_MS, "the process ends")).toBe(1);
      expect(parley.output.join("\n")).toMatch(
        /"level":50.*("worker":1.*"uncaughtException"|"thread":1.*"worker ended")/,
      );
    },
    TEST_MS,
  );
});

describe("a port", () => {
  test.each([
    ["1", "2"],
    ["2", "1"],
    ["2", "2"],
  ])(
    "that %s worker has is refused to %s, as ever",
    async (first, second) => {
      const { parley } = await start({ WORKERS: first });
      const late = launch({ PORT: String(parley.port), WORKERS: second });
      onTestFinished(() => late.close());
      expect(await deadline(late.exit, WAIT_MS, "the process ends")).toBe(1);
      expect(late.output.join("\n")).toMatch(/"code":"EADDRINUSE".*"cannot listen"/);
      expect(late.stderr()).toBe("");
    },
    TEST_MS,
  );

  test(
    "goes to one of several that start at once",
    async () => {
      const { parley } = await start();
      const { port } = parley;
      await ended(parley);
      const starters = Array.from({ length: 4 }, () =>
        launch({ PORT: String(port), WORKERS: "2", API_KEY: "" }),
      );
      for (const one of starters) onTestFinished(() => one.close());
      const ends = starters.map(async (one) => {
        const line = await one.waitForLog(/"listening"|"cannot listen"/, WAIT_MS);
        return line.includes('"listening"');
      });
      expect((await Promise.all(ends)).filter(Boolean)).toHaveLength(1);
    },
    TEST_MS,
  );
});
