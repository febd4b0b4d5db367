import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import {
  createDatabase,
  eachDatabase,
  type Kind,
  rounds,
} from "../../storage/support/databases.ts";
import { paced } from "../../support/faults.ts";
import { deadline } from "../../support/http.ts";
import { startParley } from "../../support/parley.ts";
import { type ParleyProcess, startProcess } from "../../support/process.ts";
import { type ScriptedUpstream, startUpstream } from "../../support/upstream.ts";
import { checkWhole, keyed, linesOf, startChats } from "./support.ts";

const PARALLEL = 200;
const TEST_MS = 120_000;
/** A round ends when it had an answer; a busy machine may take its time. */
const FIRST_MS = 20_000;
/** Of a claim whose process is gone. */
const LEASE_MS = 30_000;

async function startOn(kind: Kind) {
  if (kind === "sqlite") return startChats();
  const database = await createDatabase(kind);
  dropped.push(() => database.drop());
  return startChats({ DATABASE_URL: database.place.databaseUrl ?? "" });
}

const dropped: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const drop of dropped) await drop();
});

eachDatabase("two hundred questions at once", (kind) => {
  test(
    "in one chat are each kept whole or refused",
    async () => {
      const { ann } = await startOn(kind);
      const statuses = await Promise.all(
        Array.from({ length: PARALLEL }, async (_, at) => {
          const body = { content: `question ${at}`, stream: at % 3 === 0 };
          const reply = await ann.send("POST", "/work/chat", body);
          if (reply.status !== 200) expect(reply.status).toBe(409);
          else if (body.stream) expect(reply.text).toMatch(/data: \[DONE\]\n\n$/);
          return reply.status;
        }),
      );
      const answered = statuses.filter((status) => status === 200).length;
      expect(answered).toBeGreaterThan(0);
      const lines = linesOf(await ann.send("GET", "/conversations"));
      expect(lines.filter(({ type }) => type === "conversation")).toHaveLength(1);
      expect(checkWhole(lines)).toBe(2 * answered);
      const contents = (await ann.history("work")).map(({ content }) => content);
      expect(contents).toHaveLength(2 * answered);
      for (let at = 0; at < contents.length; at += 2) {
        expect(contents[at + 1]).toBe(`echo: ${String(contents[at])}`);
      }
      await ann.ask("work", "afterwards");
    },
    TEST_MS,
  );

  test(
    "in chats of their own are all answered",
    async () => {
      const { ann } = await startOn(kind);
      await Promise.all(
        Array.from({ length: PARALLEL }, (_, at) => ann.ask(`chat-${at}`, `question ${at}`)),
      );
      const lines = linesOf(await ann.send("GET", "/conversations"));
      expect(checkWhole(lines)).toBe(2 * PARALLEL);
    },
    TEST_MS,
  );

  test(
    "while the chat is cleared again and again leave nothing behind that is not whole",
    async () => {
      const { ann } = await startOn(kind);
      const clear = async () => {
        for (let times = 0; times < 20; times += 1) await ann.post("/work/clear");
      };
      const ask = async (at: number) => {
        const { status } = await ann.send("POST", "/work/chat", { content: `${at}` });
        return status;
      };
      const asked = Promise.all(Array.from({ length: 60 }, (_, at) => ask(at)));
      await clear();
      for (const status of await asked) expect([200, 404, 409]).toContain(status);
      checkWhole(linesOf(await ann.send("GET", "/conversations")));
      await ann.ask("work", "afterwards");
    },
    TEST_MS,
  );
});

describe("a process that is killed while chats are answered", () => {
  test(
    "leaves only whole turns, and its chats answer again within the lease",
    async () => {
      const upstream = await startUpstream({ behaviour: paced(3) });
      const folder = mkdtempSync(join(tmpdir(), "parley-chats-"));
      const acknowledged = new Set<string>();
      try {
        for (let round = 0; round < rounds; round += 1) {
          await killWhileTalking(upstream, folder, round, acknowledged);
        }
        await checkFolder(upstream, folder, acknowledged);
      } finally {
        await upstream.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    TEST_MS,
  );
});

async function killWhileTalking(
  upstream: ScriptedUpstream,
  folder: string,
  round: number,
  acknowledged: Set<string>,
): Promise<void> {
  const parley = await startProcess({ OPENAI_URL: upstream.url, DATA_DIR: folder });
  const { first, ended } = talk(parley, round, acknowledged);
  try {
    await deadline(first, FIRST_MS, "the first answer of the round");
    await pause(randomInt(0, 300));
  } finally {
    await parley.close(); // with SIGKILL
    await ended;
  }
}

const CHATS = 3;

/** Talks in a few chats at once until the process is gone; notes what was answered. */
function talk(parley: ParleyProcess, round: number, acknowledged: Set<string>) {
  const ann = keyed(parley.url);
  const first = Promise.withResolvers<void>();
  const lanes = Array.from({ length: 6 }, async (_, lane) => {
    for (let at = 0; ; at += 1) {
      const question = `${round}-${lane}-${at}`;
      const body = { content: question, stream: lane % 2 === 0 };
      const reply = await ann.send("POST", `/chat-${round}-${lane % CHATS}/chat`, body);
      if (reply.status === 409) continue;
      if (reply.status !== 200 || reply.text.includes('"code"')) throw new Error(reply.text);
      acknowledged.add(question);
      first.resolve();
    }
  });
  const ended = Promise.allSettled(lanes).then((settled) => {
    for (const lane of settled) {
      if (lane.status === "rejected") expect(String(lane.reason)).toMatch(/ECONN|hang up|aborted/);
    }
  });
  return { first: first.promise, ended };
}

async function checkFolder(
  upstream: ScriptedUpstream,
  folder: string,
  acknowledged: ReadonlySet<string>,
): Promise<void> {
  const later = {
    ...systemClock,
    wallMs: () => systemClock.wallMs() + LEASE_MS,
  };
  const parley = await startParley(
    { OPENAI_URL: upstream.url, DATA_DIR: folder },
    { clock: later },
  );
  try {
    const ann = keyed(parley.origin);
    const lines = linesOf(await ann.send("GET", "/conversations"));
    expect(checkWhole(lines)).toBeGreaterThanOrEqual(2 * acknowledged.size);
    const kept = new Set(lines.filter(({ role }) => role === "user").map((one) => one.content));
    for (const question of acknowledged) expect(kept).toContain(question);
    expect(acknowledged.size).toBeGreaterThan(0);
    const names = Array.from({ length: rounds * CHATS }, (_, at) => {
      return `chat-${Math.floor(at / CHATS)}-${at % CHATS}`;
    });
    for (const name of names) await ann.ask(name, "still there?");
  } finally {
    await parley.close();
  }
}
