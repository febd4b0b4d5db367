/** Our way to an upstream as compose.ts builds it, with deadlines a test can wait for. */

import { inspect } from "node:util";
import { systemClock } from "../../src/clock.ts";
import { parseUpstreamUrl } from "../../src/config/urls.ts";
import type { AnswerEvent, ChatRequest, Completion } from "../../src/core/call/messages.ts";
import { createCleanName } from "../../src/core/clean-name.ts";
import { ProxyError } from "../../src/core/errors.ts";
import { redact } from "../../src/core/redact.ts";
import type { Upstream } from "../../src/core/upstream-ports.ts";
import { createRefusalOf } from "../../src/upstream/errors.ts";
import { createOpenAIUpstream } from "../../src/upstream/openai.ts";
import { createTransport, type Transport } from "../../src/upstream/transport.ts";
import { answerRoom } from "../support/rooms.ts";

/** Longer than anything takes where nothing stalls, on a busy machine too. */
const patientMs = { connect: 5_000, head: 10_000, idle: 10_000, total: 15_000 };
/** Short enough to wait for. */
export const shortMs = { connect: 1_000, head: 600, idle: 400, total: 1_300 };

export const key = "sk-test-0123456789abcdef";
export const question: ChatRequest = {
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "¿$5 – 你好 👋🏽?" }],
  maxTokens: 50,
};
export const echoed = "echo: ¿$5 – 你好 👋🏽?";

export interface AskingOptions {
  /** As OPENAI_URL has it. */
  readonly url: string;
  readonly proxyUrl?: string;
  readonly maxAnswerBytes?: number;
  readonly maxEventBytes?: number;
  readonly deadlines?: Partial<typeof patientMs>;
}

export interface Asking {
  readonly upstream: Upstream;
  readonly transport: Transport;
  complete(request?: ChatRequest, signal?: AbortSignal, key?: string): Promise<Completion>;
  stream(
    request?: ChatRequest,
    signal?: AbortSignal,
    key?: string,
  ): Promise<AsyncIterable<AnswerEvent>>;
  close(): Promise<void>;
}

export function createAsking(options: AskingOptions): Asking {
  const parsed = parseUpstreamUrl(options.url);
  if ("problem" in parsed) throw new Error("not a URL that Parley takes");
  const { connect, head, idle, total } = { ...patientMs, ...options.deadlines };
  const transport = createTransport({
    baseUrl: parsed.value,
    proxyUrl: options.proxyUrl === undefined ? null : new URL(options.proxyUrl),
    connectMs: connect,
    idleMs: idle,
    totalMs: total,
    clock: systemClock,
  });
  const upstream = createOpenAIUpstream({
    transport,
    kind: "openai",
    ownHeaders: null,
    userAgent: "parley/test",
    refusalOf: createRefusalOf(redact, systemClock),
    redact,
    cleanName: createCleanName([]),
    answerMs: head,
    firstTokenMs: head,
    maxAnswerBytes: options.maxAnswerBytes ?? 16 * 1024 * 1024,
    maxEventBytes: options.maxEventBytes ?? 1024 * 1024,
  });
  const never = new AbortController().signal;
  const createHow = () => ({ sent: { unrefused: 0 }, room: answerRoom.enter("bucket") });
  return {
    upstream,
    transport,
    complete: (request = question, signal = never, withKey = key) =>
      upstream.complete(request, { ...createHow(), key: withKey, signal }),
    stream: (request = question, signal = never, withKey = key) =>
      upstream.stream(request, { ...createHow(), key: withKey, signal }),
    close: () => transport.close(),
  };
}

/** How an attempt ended: `answer`, or the code and, for a stream, whether it had begun. */
export interface Ending {
  readonly said: string;
  readonly error: ProxyError | null;
  readonly completion: Completion | null;
  readonly text: string;
}

export async function endOfComplete(asking: Asking): Promise<Ending> {
  try {
    const completion = await asking.complete();
    return { said: "answer", error: null, completion, text: completion.text };
  } catch (thrown) {
    const error = asProxyError(thrown);
    return { said: error.code, error, completion: null, text: "" };
  }
}

export async function endOfStream(asking: Asking): Promise<Ending> {
  let began = false;
  let text = "";
  let completion: Completion | null = null;
  try {
    const events = await asking.stream();
    began = true;
    for await (const event of events) {
      if (event.type === "text-delta") text += event.text;
      if (event.type === "answer-end") completion = event.completion;
    }
    return { said: "answer", error: null, completion, text };
  } catch (thrown) {
    const error = asProxyError(thrown);
    const when = began ? "while read" : "at once";
    return { said: `${error.code} ${when}`, error, completion: null, text };
  }
}

/** Whatever else comes out of an upstream is a mistake of ours. */
function asProxyError(thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  throw new Error("not a ProxyError", { cause: thrown });
}

export async function rejection(promise: Promise<unknown>): Promise<ProxyError> {
  const thrown = await promise.then(
    () => new Error("it did not fail"),
    (error: unknown) => error,
  );
  return asProxyError(thrown);
}

/** All that a client may be shown of an error. */
export function shownOf({ code, params, details, message }: ProxyError): string {
  return JSON.stringify({ code, params, details, message });
}

/** All there is in an error: its causes, hidden fields and stacks too. */
export function allOf(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true, maxStringLength: Number.POSITIVE_INFINITY });
}
