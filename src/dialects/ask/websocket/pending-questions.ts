import type { IncomingHttpHeaders } from "node:http";
import type { TurnEvent } from "../../../core/conversations/dialogue.ts";
import { abortReason, ProxyError, toProxyError } from "../../../core/errors.ts";
import type { MaybePromise } from "../../../core/maybe-promise.ts";
import type { ClientAddress } from "../../../http/address/client-address.ts";
import type { CallStarter, TransportCall } from "../../../http/call/begin-call.ts";
import type { Identify } from "../../../http/call/credentials.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { httpStatus } from "../../../http/reply/http-status.ts";
import type { Language } from "../../../locales.ts";
import type { AskQuestions } from "../questions.ts";
import { type AskQuestion, writeTurn } from "../wire.ts";

/** Who is at the other end, as the handshake said. */
export interface Peer {
  readonly client: ClientAddress;
  readonly language: Language;
  /** Those that may carry a credential: it is looked up for each question. */
  readonly credentials: IncomingHttpHeaders;
}

/** How one kind of frames says what becomes of a question. */
export interface Reply {
  /** Rejects `canceled` when nobody waits for it any more. */
  delta(text: string): Promise<void>;
  /** Resolves when it has left. */
  end(turn: ReturnType<typeof writeTurn>, context: RequestContext): Promise<void>;
  /** The same. */
  fail(error: ProxyError, context: RequestContext): Promise<void>;
}

/** What a frame asks. */
export interface Wish {
  /** Of the frame; null: it is none of a question, which takes nothing from the limits. */
  readonly bytes: number | null;
  /** Throws what is wrong with it. */
  read(): AskQuestion;
}

/** A frame from its arrival to the last one of its answer. */
export interface Asked {
  readonly context: RequestContext;
  /** The last frame is on its way when it resolves, with the status. Never rejects. */
  answer(reply: Reply): Promise<number>;
  /** Nobody waits for it any more. */
  cancel(): void;
  /** Writes the line in the log. */
  end(status: number): void;
}

export interface AskingOptions {
  readonly calls: CallStarter;
  readonly identify: Identify;
  readonly questions: AskQuestions;
  /** Is told of errors nobody foresaw. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

export type Begin = (wish: Wish) => Asked;

/** In the log and in metrics. */
const ROUTE = "ask websocket";
const METHOD = "WS";

/** Takes the questions of one connection. The limits and the room for bodies count from `begin` on. */
export function createAsking(options: AskingOptions, peer: Peer): Begin {
  const { client, language } = peer;
  return function begin(wish) {
    const call = options.calls.begin({ client, language, route: ROUTE, method: METHOD });
    const admission = admitted(call, wish.bytes);
    let canceled = false;

    const ask = async () => {
      const refused = admission instanceof Promise ? await admission : admission;
      if (refused !== null) throw refused;
      if (canceled) throw new ProxyError("canceled");
      const question = wish.read();
      const principal = await options.identify(client, peer.credentials, question.apiKey);
      const opened = call.open("ask", principal);
      if (opened.signal.aborted) throw abortReason(opened.signal);
      return { model: question.model, events: await options.questions.stream(opened, question) };
    };
    return {
      context: call.context,
      async answer(reply) {
        try {
          const { events, model } = await ask();
          await passOn(events, model, reply, call.context);
          return 200;
        } catch (thrown) {
          const error = toProxyError(thrown);
          if (error.code === "internal") options.report(call.context.requestId, error);
          await reply.fail(error, call.context);
          return httpStatus[error.code];
        }
      },
      cancel() {
        canceled = true;
        call.cancel();
      },
      end: (status) => call.end(status),
    };
  };
}

async function passOn(
  events: AsyncIterable<TurnEvent>,
  model: string,
  reply: Reply,
  context: RequestContext,
): Promise<void> {
  for await (const event of events) {
    if (event.type === "text-delta" && event.text !== "") await reply.delta(event.text);
    if (event.type === "turn-end") await reply.end(writeTurn(event.turn, model), context);
  }
}

/** The refusal, reported when it is the question's turn. */
function admitted(call: TransportCall, bytes: number | null): MaybePromise<ProxyError | null> {
  if (bytes === null) return null;
  try {
    const admitting = call.admit(bytes);
    return admitting instanceof Promise ? admitting.then(() => null, toProxyError) : null;
  } catch (thrown) {
    return toProxyError(thrown);
  }
}
