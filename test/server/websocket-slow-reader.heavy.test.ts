import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { connectRaw, frame, OPCODE, type RawWebSocket } from "../support/frames.ts";
import { startPair } from "../support/pair.ts";
import { type ParleyProcess, until } from "../support/process.ts";
import {
  answer,
  type Behaviour,
  composeAnswer,
  goodHeaders,
  type ScriptedUpstream,
} from "../support/upstream.ts";
import { connect, readText } from "../support/websocket.ts";

const WAIT_MS = 60_000;
const TEST_MS = 240_000;
const READERS = 50;
const MEGABYTE = 1_048_576;
/** Of one answer: just below the longest that is kept. */
const ANSWER_CHARACTERS = 1_000_000;
const PER_READER_BYTES = 2 * MEGABYTE;
/** Who has done nothing for so long, but for timers, does nothing more. */
const QUIET_MS = 1_000;
const FEW_TICKS = 5;

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
beforeAll(async () => {
  ({ upstream, parley } = await startPair({ WS_CONNECTIONS: "0" }, { withCollector: true }));
}, TEST_MS);

/** An answer of this character in deltas of a thousand. */
function createLongAnswer(character: string): Behaviour & { written(): number } {
  let written = 0;
  return {
    name: `answer of ${ANSWER_CHARACTERS} characters`,
    written: () => written,
    run: async ({ request, response, write }) => {
      const { events } = composeAnswer(request, { text: () => character.repeat(5_000) });
      const [start = "", delta = "", ...others] = events;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      await write(start);
      const part = delta.repeat(10);
      for (let sent = 0; sent < ANSWER_CHARACTERS - 10_000; sent += 10_000) {
        written += 10_000;
        await write(part);
      }
      response.end(others.slice(4).join(""));
    },
  };
}

/** Asks and takes no byte of the answers. */
async function ask(
  headers: readonly string[],
  questions: readonly string[],
): Promise<RawWebSocket> {
  const raw = await connectRaw(parley.port, headers);
  raw.socket.pause();
  for (const question of questions) raw.socket.write(frame(OPCODE.text, question));
  return raw;
}

/** Hundredths of a second that a process has worked; columns as in proc_pid_stat(5). */
function ticksOf(pid: number): number {
  const columns = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return Number(columns[11]) + Number(columns[12]);
}

interface Kind {
  readonly name: string;
  /** For more bytes on the wire than the kernel holds, while an answer has a million characters. */
  readonly character: string;
  readonly protocol?: string;
  readonly questions: readonly string[];
}

const kinds: readonly Kind[] = [
  // one after the other: a few answers of a megabyte fill the kernel, others follow
  { name: "text", character: "x", questions: Array<string>(6).fill("<|ask|>$new$new$slow") },
  {
    name: "JSON",
    character: "\u0001", // six bytes in JSON
    protocol: "parley.v1",
    questions: [JSON.stringify({ type: "ask", id: "q", prompt: "slow" })],
  },
];

/** What is made once, is made. */
async function warmUp({ protocol, questions }: Kind): Promise<void> {
  const client = await connect(`${parley.url}/ask`, protocol === undefined ? {} : { protocol });
  client.send(questions[0]);
  while (!/^<\|end\|>|"type":"end"/.test(await client.next()));
  await client.close();
}

test.each(kinds)(
  "readers that stop reading $name frames cost two megabytes each at most, and hold nobody up",
  async (kind) => {
    const { name, questions, protocol } = kind;
    const headers = protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`];
    const isSlow = (json: unknown) => JSON.stringify(json).includes('"slow"');
    const answers = createLongAnswer(kind.character);
    upstream.behave(({ json }) => (isSlow(json) ? answers : answer));
    await warmUp(kind);
    const client = await connect(`${parley.url}/ask`);
    const readBefore = answers.written();
    const liveBefore = await parley.liveBytes();
    const before = parley.residentBytes();
    const readers = await Promise.all(
      Array.from({ length: READERS }, () => ask(headers, questions)),
    );
    let highest = 0;
    let busy = -1;
    let sinceMs = 0;
    await until(
      () => {
        highest = Math.max(highest, parley.residentBytes());
        const ticks = ticksOf(parley.pid);
        if (ticks - busy > FEW_TICKS) {
          sinceMs = performance.now();
          busy = ticks;
        }
        return performance.now() - sinceMs > QUIET_MS;
      },
      { label: "Parley waits for its readers", timeoutMs: WAIT_MS },
    );
    const open = await parley.metric("parley_open_calls");
    const live = (await parley.liveBytes()) - liveBefore;
    client.send("<|ask|>$new$new$quick");
    expect((await readText(client)).text).toBe("echo: quick");
    const taken = answers.written() - readBefore;
    process.stdout.write(
      `websocket slow readers, ${name}: ${READERS}, resident ${(before / MEGABYTE).toFixed(0)} -> ${(highest / MEGABYTE).toFixed(0)} MB, ` +
        `in use +${(live / MEGABYTE).toFixed(1)} MB, taken from the ` +
        `upstream ${(taken / READERS / 1e6).toFixed(2)} M characters each of ${questions.length}, ${open} questions open\n`,
    );
    // not the resident memory: a flow of this size leaves there what is not yet collected
    expect(live).toBeLessThan(READERS * PER_READER_BYTES);
    expect(open).toBeGreaterThanOrEqual(READERS);

    for (const { socket } of readers) socket.destroy();
    await until(async () => (await parley.metric("parley_open_calls")) === 0, {
      label: "no open calls",
      timeoutMs: WAIT_MS,
    });
    await client.close();
  },
  TEST_MS,
);
