import type { AnswerEvent, ChatRequest, Completion } from "../core/call/messages.ts";
import { createGatheredText } from "../core/conversations/gathered-text.ts";
import { abortReason, ProxyError } from "../core/errors.ts";
import type { AskOptions, Upstream } from "../core/ports.ts";
import { readEvents } from "../core/sse.ts";
import { type Delta, parseCompletion, parseDelta } from "./answers.ts";
import { askUpstream, type UpstreamAnswer } from "./ask.ts";
import { fromApiError } from "./errors.ts";
import { prepareRequest, type TokenField, usualTokenField } from "./request.ts";
import type { Transport } from "./transport.ts";

export interface OpenAIUpstreamOptions {
  readonly transport: Transport;
  /** How long a whole answer may take to begin; it is written first and sent then. */
  readonly answerMs: number;
  /** How long a stream may take to begin. */
  readonly firstTokenMs: number;
  readonly maxAnswerBytes: number;
  readonly maxEventBytes: number;
}

/** Models whose token field was learnt by a refusal; beyond this many they are learnt anew. */
const MAX_LEARNT_MODELS = 1_000;

/** The typed way to an OpenAI-compatible service. */
export function createOpenAIUpstream(options: OpenAIUpstreamOptions): Upstream {
  const learnt = new Map<string, TokenField>();

  const send = async (
    request: ChatRequest,
    stream: boolean,
    tokenField: TokenField,
    { key, signal }: AskOptions,
  ) => {
    const { path, body } = prepareRequest(request, stream, tokenField);
    const headMs = stream ? options.firstTokenMs : options.answerMs;
    const maxTextBytes = options.maxAnswerBytes;
    const maxBytes = stream ? Number.POSITIVE_INFINITY : maxTextBytes;
    const ready = { path, body, key, signal, headMs, maxBytes, maxTextBytes };
    try {
      return answerAsAsked(await askUpstream(options.transport, { method: "POST", ...ready }));
    } catch (error) {
      // a client that leaves while a refusal is read has left all the same
      throw signal.aborted ? abortReason(signal) : fromApiError(error, key);
    }
  };

  /** A model that wants the newer field name says so in its refusal; it is asked once more. */
  const sendAndLearn = async (request: ChatRequest, stream: boolean, ask: AskOptions) => {
    const used = learnt.get(request.model) ?? usualTokenField(request.model);
    try {
      return await send(request, stream, used, ask);
    } catch (error) {
      const wanted = fieldWanted(error);
      if (wanted === null || wanted === used) throw error;
      if (learnt.size >= MAX_LEARNT_MODELS) learnt.clear();
      learnt.set(request.model, wanted);
      return send(request, stream, wanted, ask);
    }
  };

  return {
    async complete(request, ask) {
      const answer = await sendAndLearn(request, false, ask);
      return parseCompletion(await answer.text());
    },
    async stream(request, ask) {
      const answer = await sendAndLearn(request, true, ask);
      const type = answer.headers.get("content-type") ?? "";
      if (type.toLowerCase().includes("text/event-stream")) return readAnswer(answer, options);
      // some servers ignore `stream`; what they answered is still an answer
      return replay(parseCompletion(await answer.text()));
    },
  };
}

/** No compression was asked for, so what comes compressed is not unpacked but refused. */
function answerAsAsked(answer: UpstreamAnswer): UpstreamAnswer {
  const encoding = answer.headers.get("content-encoding") ?? "identity";
  if (encoding === "identity") return answer;
  void answer.chunks.return?.();
  throw new ProxyError("upstream_bad_answer");
}

async function* readAnswer(
  answer: UpstreamAnswer,
  { maxEventBytes }: OpenAIUpstreamOptions,
): AsyncGenerator<AnswerEvent> {
  const soFar = createAccount();
  let done = false;
  for await (const data of readEvents(answer.chunks, maxEventBytes)) {
    done = data === "[DONE]";
    if (done) {
      answer.chunks.drain();
      break;
    }
    const isFirst = soFar.isEmpty();
    const delta = parseDelta(data);
    soFar.add(delta);
    if (isFirst) yield { type: "answer-start", model: delta.model };
    if (delta.text !== "") yield { type: "text-delta", text: delta.text };
  }
  const completion = soFar.total();
  // an end without a reason or [DONE] is a cut connection that happened to close cleanly
  if (soFar.isEmpty() || (!done && completion.finishReason === null)) {
    throw new ProxyError("upstream_failed");
  }
  yield { type: "answer-end", completion };
}

/**
 * Twice the longest answer of any model (128,000 tokens of four characters). The text of a streamed
 * answer is kept for its last event, so this is also what a reader who never reads makes us keep.
 */
const MAX_TEXT_CHARACTERS = 1_048_576;
/** Adds the pieces of a streamed answer up. */
function createAccount() {
  const text = createGatheredText();
  let size = 0;
  let last: Delta | null = null;
  return {
    isEmpty: () => last === null,
    add(delta: Delta): void {
      size += delta.text.length;
      if (size > MAX_TEXT_CHARACTERS) throw new ProxyError("upstream_bad_answer");
      text.add(delta.text);
      last = {
        text: "",
        model: delta.model || (last?.model ?? ""),
        finishReason: delta.finishReason ?? last?.finishReason ?? null,
        usage: delta.usage ?? last?.usage ?? null,
        upstreamId: delta.upstreamId ?? last?.upstreamId ?? null,
      };
    },
    total: (): Completion => ({ ...(last ?? NOTHING), text: text.whole() }),
  };
}

const NOTHING: Delta = { text: "", model: "", finishReason: null, usage: null, upstreamId: null };

async function* replay(completion: Completion): AsyncGenerator<AnswerEvent> {
  yield { type: "answer-start", model: completion.model };
  if (completion.text !== "") yield { type: "text-delta", text: completion.text };
  yield { type: "answer-end", completion };
}

function fieldWanted(error: unknown): TokenField | null {
  if (!(error instanceof ProxyError) || error.code !== "upstream_refused") return null;
  const reason = String(error.params.reason ?? "");
  if (!/max_tokens/.test(reason) || !/max_completion_tokens/.test(reason)) return null;
  return /unsupported parameter:?\s*'?max_completion_tokens/i.test(reason)
    ? "max_tokens"
    : "max_completion_tokens";
}
