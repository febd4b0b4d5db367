/** Frames that nobody would send, in both languages of WebSocket. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { deadline } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { ParleyProcess } from "../support/process.ts";
import { connect, type WebSocketClient } from "../support/websocket.ts";
import { fieldsOf, routesOf } from "./support/routes.ts";
import { FUZZ_MS, REQUESTS, SEED } from "./support/sizes.ts";
import { bodyBytes, oddText } from "./support/values.ts";

const FRAMES = Math.ceil(REQUESTS / 8);
const AT_A_TIME = 8;
/** Fewer than the refused frames that a connection may send in a minute. */
const PER_CONNECTION = 50;
const STALL_MS = 4_000;
/** By RFC 6455; 1011 would be a mistake of ours. */
const GOOD_CLOSES = [1002, 1003, 1007, 1008, 1009, 1012];
/** What our own closing, without a code, is called. */
const OWN_CLOSE = 1005;

let parley: ParleyProcess;
let fields: readonly string[];
beforeAll(async () => {
  ({ parley } = await startPair({ MAX_BODY_BYTES: "65536" }));
  fields = [...fieldsOf(await routesOf(parley.url)), "type", "id", "conversation_id"];
}, FUZZ_MS);

type Frame = string | Uint8Array;
interface Language {
  readonly protocol: string | undefined;
  readonly frames: fc.Arbitrary<Frame>;
  /** A good question, and whether a frame is the end of its answer; `text`: what came just before. */
  readonly question: string;
  isItsEnd(frame: string, text: string): boolean;
}

/** As text, in bytes that may not be text, and as a binary frame. */
function asFrames(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Frame> {
  return fc.oneof(
    { arbitrary: bytes.map((one) => Buffer.from(one).toString("utf8")), weight: 20 },
    { arbitrary: bytes, weight: 1 },
  );
}

const jsonFrames = (): Language => ({
  protocol: "parley.v1",
  frames: asFrames(
    bodyBytes({ type: "ask", id: "q", conversation_id: "new", prompt: "Say hello." }, fields),
  ),
  question: '{"type":"ask","id":"the good one","prompt":"hi"}',
  isItsEnd: (frame) => JSON.parse(frame).id === "the good one" && JSON.parse(frame).type === "end",
});

const id = fc.oneof(fc.constantFrom("new", "", "__proto__", "$", "x".repeat(300)), oddText);
const textFrames = (): Language => ({
  protocol: undefined,
  frames: asFrames(
    fc
      .oneof(
        {
          arbitrary: fc.tuple(id, id, oddText).map(([c, p, text]) => `<|ask|>$${c}$${p}$${text}`),
          weight: 6,
        },
        { arbitrary: oddText, weight: 1 },
        {
          arbitrary: fc.constantFrom("<|ask|>", "<|ask|>$$$", "<|end|>$a$b", "<|ask|>$new$new$"),
          weight: 1,
        },
      )
      .map((text) => Buffer.from(text)),
  ),
  question: "<|ask|>$new$new$the good one",
  isItsEnd: (frame, text) => frame.startsWith("<|end|>$") && text === "echo: the good one",
});

/** Sends a frame and a good question; what is wrong with what comes back, or null. */
async function sendOne(
  client: WebSocketClient,
  language: Language,
  frame: Frame,
): Promise<string | null> {
  client.send(frame);
  client.send(language.question);
  let text = "";
  for (;;) {
    const got = await client.next("an answer");
    if (/"code":"internal"|Internal server error/.test(got)) return `internal: ${got}`;
    if (language.isItsEnd(got, text)) return null;
    text = got.startsWith("<|") ? "" : text + got;
  }
}

async function work(
  language: Language,
  frames: Iterator<Frame>,
  faults: string[],
): Promise<number> {
  let sent = 0;
  for (let step = frames.next(); step.done !== true; ) {
    const client = await connect(
      `${parley.url}/ask`,
      language.protocol === undefined ? {} : { protocol: language.protocol },
    );
    let frame: Frame = step.value;
    const exchange = async () => {
      for (let count = 0; count < PER_CONNECTION && step.done !== true; count += 1) {
        frame = step.value;
        step = frames.next();
        sent += 1;
        const fault = await deadline(sendOne(client, language, frame), STALL_MS, "an answer");
        if (fault !== null) faults.push(`${fault}: ${shown(frame)}`);
      }
    };
    await exchange().catch((error: unknown) => {
      if (!String(error).includes("closed with")) faults.push(`${error}: ${shown(frame)}`);
    });
    client.ws.close();
    const { code } = await client.closed();
    if (code !== OWN_CLOSE && !GOOD_CLOSES.includes(code))
      faults.push(`closed with ${code}: ${shown(frame)}`);
  }
  return sent;
}

const shown = (frame: Frame) => JSON.stringify(String(frame)).slice(0, 500);

test.each([
  ["parley.v1", jsonFrames],
  ["text", textFrames],
])(
  `frames in %s are each answered, or end the connection`,
  async (_name, languageOf) => {
    process.stdout.write(`fuzz websocket: seed ${SEED}\n`);
    const language = languageOf();
    const frames = fc.sample(language.frames, { numRuns: FRAMES, seed: SEED }).values();
    const faults: string[] = [];
    const workers = Array.from({ length: AT_A_TIME }, () => work(language, frames, faults));
    const sent = (await Promise.all(workers)).reduce((sum, one) => sum + one, 0);
    expect(faults.slice(0, 5)).toEqual([]);
    expect(sent).toBe(FRAMES);
    expect(parley.output.filter((line) => /"level":50|unexpected error/.test(line))).toEqual([]);
    expect(parley.stderr()).toBe("");
    expect(await parley.metric("parley_open_calls")).toBe(0);
  },
  FUZZ_MS,
);
