import type { AnswerEvent, ChatRequest, Completion } from "../core/call/messages.ts";
import { createGatheredText } from "../core/call/messages.ts";
import { WholeCharacters } from "../core/call/whole-characters.ts";
import type { CleanName } from "../core/clean-name.ts";
import { ProxyError } from "../core/errors.ts";
import type { AskOptions, Upstream } from "../core/ports.ts";
import { PARSED_EVENTS, readEvents } from "../core/sse.ts";
import { readCompletion, readDelta } from "./answers.ts";
import { askUpstream, prepareRequest, type TokenField, usualTokenField } from "./ask.ts";
import type { RefusalOf } from "./errors.ts";
import type { UpstreamResponse } from "./exchange.ts";
import { createFailures } from "./failures.ts";
import { bodyKind, isLabeledStream } from "./opening.ts";
import type { Transport } from "./transport.ts";
import { createUsageOption } from "./usage-option.ts";

export interface OpenAIUpstreamOptions {
  readonly transport: Transport;
  readonly userAgent: string;
  readonly refusalOf: RefusalOf;
  readonly cleanName: CleanName;
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

  return {
    async complete(request, ask) {
      return completionIn(await send(request, false, ask), options, ask);
    },
    async stream(request, ask) {
      const response = await send(request, true, ask);
      // what is labeled as a stream begins before its first event has come
      if (isLabeledStream(response) || (await bodyKind(response, true)) === "events") {
        return readStream(response, options, ask);
      }
      // some servers ignore `stream`; a whole answer is still an answer
      return eventsOf(await completionIn(response, options, ask));
    },
  };
}

async function completionIn(
  { body }: UpstreamResponse,
  { refusalOf, cleanName }: OpenAIUpstreamOptions,
  ask: AskOptions,
): Promise<Completion> {
  const { early } = createFailures(refusalOf, ask);
  const completion = readCompletion(String(await body.whole(ask.room, TYPED_WEIGHT)), early);
  return withCleanNames(completion, cleanName, ask);
}

/** Everything in a completion that is no number, no text of the model and not ours. */
function withCleanNames(completion: Completion, cleanName: CleanName, { key }: AskOptions) {
  const { model, finishReason, upstreamId } = completion;
  return {
    ...completion,
    model: cleanName(model, key),
    finishReason: finishReason && cleanName(finishReason, key),
    upstreamId: upstreamId && cleanName(upstreamId, key),
  };
}

async function* readStream(
  response: UpstreamResponse,
  options: OpenAIUpstreamOptions,
  ask: AskOptions,
): AsyncGenerator<AnswerEvent> {
  if ((await bodyKind(response, true)) === "json") {
    yield* eventsOf(await completionIn(response, options, ask));
    return;
  }
  const { maxEventBytes, refusalOf, cleanName } = options;
  const { early } = createFailures(refusalOf, ask);
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
    const delta = readDelta(data, early);
    characters += delta.text.length;
    if (characters > MAX_TEXT_CHARACTERS) throw new ProxyError("upstream_bad_answer");
    if (known === null) yield { type: "answer-start", model: cleanName(delta.model, ask.key) };
    known = withLatest(known ?? delta, delta);
    const piece = whole.next(delta.text);
    text.add(piece);
    if (piece !== "") yield { type: "text-delta", text: piece };
  }
  const half = whole.rest();
  text.add(half);
  if (half !== "") yield { type: "text-delta", text: half };
  const completion = { ...complete(known, done), text: text.whole() };
  yield { type: "answer-end", completion: withCleanNames(completion, cleanName, ask) };
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
  if (completion.text !== "") yield { type: "text-delta", text: completion.text };
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
