import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { createAsker } from "../dialects/ask/support.ts";
import { keyed } from "../dialects/chats/support.ts";
import {
  admin,
  bearer,
  question,
  startTokenScene,
  type TokenScene,
} from "../dialects/openai/support.ts";
import { postJson, type Reply } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { until } from "../support/process.ts";
import { OWN_KEY } from "../support/scene.ts";
import { neighborCall } from "../support/timing.ts";
import { answer, type Behaviour } from "../support/upstream.ts";

/** What a caller waits at most while another process holds the lock, and what the machine may add. */
const MOST_MS = 1_500;
const SPARED_MS = 500;
const NEIGHBORS = 60;

/** Another program that writes to the database without end. */
function createHolder(file: string) {
  const holder = new DatabaseSync(file);
  onTestFinished(() => holder.close());
  let held = false;
  const locking: Behaviour = {
    name: "a good answer, once the database is locked",
    run: (exchange) => {
      if (!held) holder.exec("BEGIN EXCLUSIVE");
      held = true;
      return answer.run(exchange);
    },
  };
  return {
    locking,
    release: () => {
      holder.exec("COMMIT");
      held = false;
    },
  };
}

async function timed(call: () => Promise<Reply>) {
  const startedMs = performance.now();
  const { status, text } = await call();
  return { status, text, ms: performance.now() - startedMs };
}

const used = async ({ parley, id }: TokenScene) => {
  const { json } = await admin(parley.origin, "GET", `/tokens/${id}`);
  return (json as { quotas: { used: number }[] }).quotas[0]?.used;
};

test("a lock delays no answer beyond 1.5 s, holds up nobody else, and costs no row", async () => {
  const scene = await startTokenScene();
  const { origin, config } = scene.parley;
  const limited = { ...scene, ...(await scene.issue({ tokens_per_day: 1_000_000 })) };
  const holder = createHolder(`${config.DATA_DIR}/parley.sqlite`);
  const ask = (token: string, body: object = question) => {
    return () => postJson(scene.chat, body, { headers: bearer(token) });
  };
  const visit = () => postJson(scene.url, { user_content: "Hello?" });
  const chat = keyed(origin);
  const tree = createAsker(origin);

  await ask(limited.token)();
  scene.upstream.behave(holder.locking);
  const answered = await Promise.all(
    [
      ask(limited.token),
      ask(limited.token, { ...question, stream: true }),
      visit,
      ask(OWN_KEY, { ...question, stream: true }),
    ].map(timed),
  );
  expect(answered.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const quick = await Promise.all([visit, ask(OWN_KEY)].map(timed));
  expect(quick.map(({ status }) => status)).toEqual([200, 200]);
  const refused = await Promise.all(
    [
      ask(limited.token),
      () => chat.send("POST", "/work/chat", { content: "Hello?" }),
      () => tree.send("POST", "new", { prompt: "Hello?" }),
    ].map(timed),
  );
  expect(refused.map(({ status }) => status)).toEqual([503, 503, 503]);
  for (const { ms } of [...answered, ...quick, ...refused]) {
    expect(ms).toBeLessThan(MOST_MS + SPARED_MS);
  }

  const asking = visit();
  const locked: number[] = [];
  for (let call = 0; call < NEIGHBORS; call += 1) locked.push(await neighborCall(origin));
  await asking;
  scene.upstream.behave(answer);
  holder.release();
  const free: number[] = [];
  for (let call = 0; call < NEIGHBORS; call += 1) free.push(await neighborCall(origin));
  // who waits for the lock waits a thousand times as long
  expect(median(locked)).toBeLessThan(100 * median(free));

  const ids = () => scene.rows().map((row) => row.request_id);
  await until(() => ids().length >= 8, { label: "all rows are written", timeoutMs: 10_000 });
  expect(new Set(ids()).size).toBe(8);
  const own = scene.rows().filter((row) => row.token_id === limited.id);
  expect(own).toHaveLength(3);
  expect(await used(limited)).toBe(own.reduce((sum, row) => sum + (row.total_tokens ?? 0), 0));
  expect((await ask(limited.token)()).status).toBe(200);
  await chat.ask("work", "Hello?");
}, 60_000);

test("a chat whose answer comes during a lock is refused as quickly, and can go on after it", async () => {
  const scene = await startTokenScene();
  const { origin, config } = scene.parley;
  const holder = createHolder(`${config.DATA_DIR}/parley.sqlite`);
  const chat = keyed(origin);
  const tree = createAsker(origin);
  await chat.ask("work", "first");
  const { conversation_id: id } = await tree.ask("new", "first");
  const calls = [
    () => chat.send("POST", "/work/chat", { content: "second" }),
    () => tree.send("POST", id, { prompt: "second" }),
    () => tree.send("POST", id, { prompt: "second", stream: true }),
  ];
  for (const call of calls) {
    scene.upstream.behave(holder.locking);
    const { ms, text } = await timed(call);
    expect(text).toContain("storage_unavailable");
    expect(ms).toBeLessThan(MOST_MS + SPARED_MS);
    holder.release();
    scene.upstream.behave(answer);
  }
  expect((await tree.tree(id)).messages).toHaveLength(2);
}, 60_000);

test("a process that ends during a lock logs the rows that it could not write, whole", async () => {
  const DATA_DIR = mkdtempSync(join(tmpdir(), "parley-lock-"));
  onTestFinished(() => rmSync(DATA_DIR, { recursive: true, force: true }));
  const { parley } = await startPair({ DATA_DIR });
  const holder = new DatabaseSync(`${DATA_DIR}/parley.sqlite`);
  onTestFinished(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  const reply = await postJson(parley.url, { user_content: "Hello?" });
  expect(reply.status).toBe(200);
  parley.signal("SIGTERM");
  expect(await parley.exit).toBe(0);
  const lines = parley.output.filter((line) => line.includes("ledger row not written"));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    cause: "busy",
    row: {
      request_id: reply.headers["x-request-id"],
      payer_kind: "visitor",
      outcome: "completed",
      total_tokens: expect.any(Number),
    },
  });
}, 60_000);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
