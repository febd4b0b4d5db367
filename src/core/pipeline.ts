import type { Admission } from "./admission.ts";
import { type AskingOptions, createAsk } from "./ask.ts";
import type { Call } from "./call.ts";
import { ProxyError } from "./errors.ts";
import type { AnswerEvent, ChatRequest, Completion } from "./messages.ts";
import { mostTokensOf } from "./most-tokens.ts";
import { type PassOnOptions, passOn } from "./pass-on.ts";
import type { OpenAnswers, Relay, RelayAnswer, RelayRequest, Upstream } from "./ports.ts";
import { createSettle, type Settle, type SettleOptions } from "./settle.ts";
import { accountOf, watchEvents, watchPieces } from "./watches.ts";

/** A request to be relayed, and what admission has to know of it. */
export interface RelayWish {
  readonly request: RelayRequest;
  readonly model: string;
  readonly mostTokens: number;
}

/** What every dialect's question goes through: admit, ask, settle. */
export interface Pipeline {
  complete(call: Call, request: ChatRequest): Promise<Completion>;
  /** Rejects with what went wrong before the first byte; what breaks later is thrown while read. */
  stream(call: Call, request: ChatRequest): Promise<AsyncIterable<AnswerEvent>>;
  /** The upstream's own bytes. The same steps, but the last. */
  relay(call: Call, wish: RelayWish): Promise<RelayAnswer>;
  /** A question that costs nothing, such as the list of models: asked, but neither counted nor kept. */
  consult(call: Call, request: RelayRequest): Promise<RelayAnswer>;
  /** Ends what goes on after clients have left and resolves when all of it is settled. */
  close(): Promise<void>;
}

export interface PipelineOptions extends SettleOptions, AskingOptions {
  readonly upstream: Upstream;
  readonly relay: Relay;
  readonly admission: Admission;
  readonly openAnswers: OpenAnswers;
  readonly streamLimit: number;
}

export function createPipeline(options: PipelineOptions): Pipeline {
  const { upstream, relay, admission, clock, patience } = options;
  const background = new Set<Promise<void>>();
  const ask = createAsk(options);

  const begin = async (call: Call, model: string, mostTokens: number, streamed: boolean) => {
    const { requestId, dialect, principal } = call;
    const permit = await admission.admit({ requestId, dialect, principal, model, mostTokens });
    return createSettle(call, model, streamed, permit, options);
  };

  const passOnOptions = (call: Call, settle: Settle, leave: () => void): PassOnOptions => ({
    settle,
    hasLeft: () => call.signal.aborted,
    leave,
    drains: patience.drainMs > 0,
    inBackground: (work) => {
      background.add(work);
      void work.finally(() => background.delete(work));
    },
  });

  return {
    async complete(call, request) {
      const settle = await begin(call, request.model, mostTokensOf(request), false);
      const completion = await ask(call, settle, (how) => upstream.complete(request, how));
      const outcome = call.signal.aborted ? "canceled" : "completed";
      await settle(outcome, { account: accountOf(completion) });
      return completion;
    },

    stream: (call, request) =>
      inPlace(call, request.model, options, async (leave) => {
        const settle = await begin(call, request.model, mostTokensOf(request), true);
        const events = await ask(call, settle, (how) => upstream.stream(request, how));
        return passOn(
          events,
          watchEvents(call.principal, clock),
          passOnOptions(call, settle, leave),
        );
      }),

    relay: (call, { request, model, mostTokens }) =>
      inPlace(request.streamed ? call : null, model, options, async (leave) => {
        const settle = await begin(call, model, mostTokens, request.streamed);
        const answer = await ask(call, settle, (how) => relay.send(request, how));
        const watch = watchPieces(answer, call.principal, clock);
        return {
          ...answer,
          pieces: passOn(answer.pieces, watch, passOnOptions(call, settle, leave)),
        };
      }),

    consult: (call, request) =>
      ask(
        call,
        () => Promise.resolve(),
        (how) => relay.send(request, how),
      ),

    async close() {
      patience.end();
      await Promise.all(background);
    },
  };
}

/** Starts what holds one of the caller's places for open streams (null: it needs none). */
async function inPlace<T>(
  call: Call | null,
  model: string,
  options: PipelineOptions,
  start: (leave: () => void) => Promise<T>,
): Promise<T> {
  const leave = call === null ? () => undefined : options.openAnswers.enter(call.principal.bucket);
  if (leave === null) throw refused(call, model, options);
  try {
    return await start(leave);
  } catch (error) {
    leave();
    throw error;
  }
}

/** Nobody knows when an answer in progress ends; a second is polite. */
const RETRY_STREAM_MS = 1_000;

/** One stream too many: it is noted, but took nothing and so has no row in the ledger. */
function refused(call: Call | null, model: string, options: PipelineOptions): ProxyError {
  const limit = options.streamLimit;
  const retryAfterMs = RETRY_STREAM_MS;
  const error = new ProxyError("streams_limited", {
    params: { limit },
    facts: { limit },
    retryAfterMs,
  });
  const noRow = { settle: () => Promise.resolve() };
  if (call !== null) void createSettle(call, model, true, noRow, options)("refused", { error });
  return error;
}
