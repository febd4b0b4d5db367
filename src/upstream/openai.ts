import type { AnswerHold } from "../core/call/answer-room.ts";
import type { AnswerEvent, ChatRequest, Completion } from "../core/call/messages.ts";
import { createGatheredText } from "../core/call/messages.ts";
import { WholeCharacters } from "../core/call/whole-characters.ts";
import { ProxyError } from "../core/errors.ts";
import type { AskOptions, Upstream } from "../core/ports.ts";
import { PARSED_EVENTS, readEvents } from "../core/sse.ts";
import { readCompletion, readDelta } from "./answers.ts";
import { askUpstream, prepareRequest, type TokenField, usualTokenField } from "./ask.ts";
import type { RefusalOf } from "./errors.ts";
import type { UpstreamResponse } from "./exchange.ts";
import { createFailures, type Failures } from "./failures.ts";
import { bodyKind, isLabeledStream } from "./opening.ts";
import type { Transport } from "./transport.ts";
import { createUsageOption } from "./usage-option.ts";

export interface OpenAIUpstreamOptions {
  readonly transport: Transport;
  readonly userAgent: string;
  readonly refusalOf: RefusalOf;
  /** Limit for a whole answer to begin; the upstream writes it first and sends it then. */
  readonly answerMs: number;
  /** Limit for a stream to begin. */
  readonly firstTokenMs: number;
  readonly maxAnswerBytes: number;
  readonly maxEventBytes: number;
}

/** An answer whose text is written again, as JSON and perhaps in a history, takes twice its size. */
const TYPED_WEIGHT = 2;

/** Models whose token field was learned from a refusal; past this many all are learned again. */
const MAX_LEARNED_MODELS = 1_000;
/**
 * Twice the longest answer of any model (128,000 tokens of four characters). A streamed answer is kept
 * for its last event, so this is also what a reader that never reads makes us keep.
 */
const MAX_TEXT_CHARACTERS = 1_048_576;

/** The typed way to an OpenAI-compatible service. */
export function createOpenAIUpstream(options: OpenAIUpstreamOptions): Upstream {
  const learned = new Map<string, TokenField>();
  const sendWithUsage = createUsageOption();

  /** A model that wants the other field name says so in its refusal; it is asked once more. */
  const sendWithField = async (
    { model }: ChatRequest,
    send: (tokenField: TokenField) => Promise<UpstreamResponse>,
  ) => {
    const used = learned.get(model) ?? usualTokenField(model);
    try {
      return await send(used);
    } catch (error) {
      const wanted = wantedField(error);
      if (wanted === null || wanted === used) throw error;
      if (learned.size >= MAX_LEARNED_MODELS) learned.clear();
      learned.set(model, wanted);
      return send(wanted);
    }
  };
  const send = (request: ChatRequest, streamed: boolean, ask: AskOptions) => {
    const sendAs = (asksForUsage: boolean) =>
      sendWithField(request, (tokenField) =>
        askUpstream(options, prepareRequest(request, streamed, { tokenField, asksForUsage }), ask),
      );
    return streamed ? sendWithUsage(request.model, sendAs) : sendAs(false);
  };

  const failuresOf = (ask: AskOptions) => createFailures(options.refusalOf, ask);

  return {
    async complete(request, ask) {
      return completionIn(await send(request, false, ask), ask.room, failuresOf(ask));
    },
    async stream(request, ask) {
      const response = await send(request, true, ask);
      // what is labeled as a stream begins before its first event has come
      if (isLabeledStream(response) || (await bodyKind(response, true)) === "events") {
        return readStream(response, options, ask.room, failuresOf(ask));
      }
      // some servers ignore `stream`; a whole answer is still an answer
      return eventsOf(await completionIn(response, ask.room, failuresOf(ask)));
    },
  };
}

async function completionIn(
  { body }: UpstreamResponse,
  room: AnswerHold,
  { early }: Failures,
): Promise<Completion> {
  return readCompletion(String(await body.whole(room, TYPED_WEIGHT)), early);
}

async function* readStream(
  response: UpstreamResponse,
  { maxEventBytes }: OpenAIUpstreamOptions,
  room: AnswerHold,
  failures: Failures,
): AsyncGenerator<AnswerEvent> {
  if ((await bodyKind(response, true)) === "json") {
    yield* eventsOf(await completionIn(response, room, failures));
    return;
  }
  const { body } = response;
  body.unbound();
  const text = createGatheredText();
  const whole = new WholeCharacters();
  let characters = 0;
  let known: Completion | null = null;
  let done = false;
  for await (const data of readEvents(body, PARSED_EVENTS * maxEventBytes)) {
    done = data === "[DONE]";
    if (done) {
      body.drain();
      break;
    }
    const delta = readDelta(data, failures.early);
    characters += delta.text.length;
    checkLength(characters);
    if (known === null) yield { type: "answer-start", model: delta.model };
    known = withLatest(known ?? delta, delta);
    if (delta.unsaid !== undefined) yield { type: "unsaid", text: delta.unsaid };
    const piece = whole.next(delta.text);
    text.add(piece);
    if (piece !== "") yield { type: "text-delta", text: piece };
  }
  const half = whole.rest();
  text.add(half);
  yield* textOf(half);
  yield { type: "answer-end", completion: { ...complete(known, done), text: text.whole() } };
}

function checkLength(characters: number): void {
  if (characters > MAX_TEXT_CHARACTERS) throw new ProxyError("upstream_bad_answer");
}

function textOf(text: string): AnswerEvent[] {
  return text === "" ? [] : [{ type: "text-delta", text }];
}

/** An end without a reason or [DONE] is a cut connection that happened to close cleanly. */
function complete(known: Completion | null, done: boolean): Completion {
  if (known !== null && (done || known.finishReason !== null)) return known;
  throw new ProxyError("upstream_failed");
}

function withLatest(known: Completion, delta: Completion): Completion {
  return {
    text: "",
    model: delta.model || known.model,
    finishReason: delta.finishReason ?? known.finishReason,
    usage: delta.usage ?? known.usage,
    ...((known.reasoned === true || delta.reasoned === true) && { reasoned: true }),
    upstreamId: delta.upstreamId ?? known.upstreamId,
  };
}

async function* eventsOf(completion: Completion): AsyncGenerator<AnswerEvent> {
  yield { type: "answer-start", model: completion.model };
  yield* textOf(completion.text);
  yield { type: "answer-end", completion };
}

function wantedField(error: unknown): TokenField | null {
  if (!(error instanceof ProxyError) || error.code !== "upstream_refused") return null;
  const reason = String(error.params.reason ?? "");
  if (!/max_tokens/.test(reason) || !/max_completion_tokens/.test(reason)) return null;
  return /unsupported parameter:?\s*'?max_completion_tokens/i.test(reason)
    ? "max_tokens"
    : "max_completion_tokens";
}
