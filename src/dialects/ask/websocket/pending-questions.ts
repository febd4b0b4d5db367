import type { IncomingHttpHeaders } from "node:http";
import type { TurnEvent } from "../../../core/conversations/turn.ts";
import { abortReason, ProxyError, toProxyError } from "../../../core/errors.ts";
import type { MaybePromise } from "../../../core/maybe-promise.ts";
import type { Caller, CallStarter, TransportCall } from "../../../http/call/begin-call.ts";
import type { Identify } from "../../../http/call/credentials.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { statusOf } from "../../../http/reply/http-status.ts";
import type { TreeDialogue } from "../questions.ts";
import { type TreeQuestion, writeTurn } from "../wire.ts";

/** The client of a connection, as its handshake named it. */
export interface Peer extends Pick<Caller, "client" | "language"> {
  /** Headers that may carry a credential. It is looked up again for each question. */
  readonly credentials: IncomingHttpHeaders;
}

/** Writes what becomes of a question, in one kind of frames. */
export interface SentAnswer {
  /** Rejects `canceled` if the client no longer waits for it. */
  delta(text: string): Promise<void>;
  /** Resolves when it is written, like `fail`. */
  end(turn: ReturnType<typeof writeTurn>, context: RequestContext): Promise<void>;
  fail(error: ProxyError, context: RequestContext): Promise<void>;
}

/** A frame from the client. */
export interface ReceivedFrame {
  /** Size of a question. Null: the frame was refused before the limits, which don't count it. */
  readonly bytes: number | null;
  /** Throws what is wrong with it. */
  read(): TreeQuestion;
}

/** A question from the arrival of its frame to the last frame of its answer. */
export interface PendingQuestion {
  readonly context: RequestContext;
  /** Resolves with the HTTP status when the last frame is written. Never rejects. */
  answer(reply: SentAnswer): Promise<number>;
  /** The client no longer waits for it. */
  cancel(): void;
  /** Writes the line in the log. */
  end(status: number): void;
}

export interface PendingQuestionOptions {
  readonly calls: CallStarter;
  readonly identify: Identify;
  readonly questions: TreeDialogue;
  /** Called with unexpected errors. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

/** Applies the limits at once; a refusal is reported by `answer`. */
export type BeginQuestion = (frame: ReceivedFrame) => PendingQuestion;

/** In the log and in metrics. */
const ROUTE = "ask websocket";
const METHOD = "WS";

export function createBeginQuestion(options: PendingQuestionOptions, peer: Peer): BeginQuestion {
  const { calls, identify, questions, report } = options;
  const { client, language, credentials } = peer;
  return function begin(frame) {
    const call = calls.begin({ client, language, route: ROUTE, method: METHOD });
    const { context } = call;
    const admission = refusalOf(call, frame.bytes);
    let canceled = false;

    const ask = async () => {
      const refusal = admission instanceof Promise ? await admission : admission;
      if (refusal !== null) throw refusal;
      if (canceled) throw new ProxyError("canceled");
      const question = frame.read();
      const opened = call.open("ask", await identify(client, credentials, question.apiKey));
      if (opened.signal.aborted) throw abortReason(opened.signal);
      return { model: question.model, events: await questions.stream(opened, question) };
    };
    return {
      context,
      async answer(reply) {
        try {
          const { model, events } = await ask();
          await passOn(events, model, reply, context);
          return 200;
        } catch (thrown) {
          const error = toProxyError(thrown);
          context.error = error;
          if (error.code === "internal") report(context.requestId, error);
          await reply.fail(error, context);
          return statusOf(error);
        }
      },
      cancel() {
        canceled = true;
        call.cancel();
      },
      end: call.end,
    };
  };
}

async function passOn(
  events: AsyncIterable<TurnEvent>,
  model: string,
  reply: SentAnswer,
  context: RequestContext,
): Promise<void> {
  for await (const event of events) {
    if (event.type === "text-delta" && event.text !== "") await reply.delta(event.text);
    if (event.type === "turn-end") await reply.end(writeTurn(event.turn, model), context);
  }
}

function refusalOf(call: TransportCall, bytes: number | null): MaybePromise<ProxyError | null> {
  if (bytes === null) return null;
  try {
    const admitting = call.admit(bytes);
    return admitting instanceof Promise ? admitting.then(() => null, toProxyError) : null;
  } catch (thrown) {
    return toProxyError(thrown);
  }
}
