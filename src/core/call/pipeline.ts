import { ProxyError } from "../errors.ts";
import type {
  ConcurrencyLimiter,
  Relay,
  RelayAccount,
  RelayAnswer,
  RelayRequest,
  Upstream,
} from "../ports.ts";
import type { Admission } from "./admission.ts";
import { type AskingOptions, createAsk } from "./ask.ts";
import type { Call } from "./call.ts";
import type { AnswerEvent, ChatRequest, Completion } from "./messages.ts";
import { reservedForChat } from "./most-tokens.ts";
import { createSettle, type Settle, type SettleOptions } from "./settle.ts";
import { SettledStream, type SettledStreamOptions } from "./settled-stream.ts";
import { accountOf, observeEvents, observePieces } from "./stream-observer.ts";

/** A request to be relayed, and what admission has to know of it. */
export interface RelayCall {
  readonly request: RelayRequest;
  readonly model: string;
  readonly reservedTokens: number;
}

/** What every dialect's question goes through: admit, ask, settle. */
export interface Pipeline {
  complete(call: Call, request: ChatRequest): Promise<Completion>;
  /** Resolves with what `keep` makes of the answer while its row is written: one commit may do. */
  completeAndKeep<T>(
    call: Call,
    request: ChatRequest,
    keep: (completion: Completion) => T | Promise<T>,
  ): Promise<T>;
  /** Rejects with what went wrong before the first byte; what breaks later is thrown while read. */
  stream(call: Call, request: ChatRequest): Promise<AsyncIterable<AnswerEvent>>;
  /** The upstream's own bytes. The same steps, but the last. */
  relay(call: Call, wish: RelayCall): Promise<RelayAnswer>;
  /** A question that costs nothing, such as the list of models: asked, but neither counted nor kept. */
  relayUnmetered(call: Call, request: RelayRequest): Promise<RelayAnswer>;
  /** Ends what goes on after clients have left and resolves when all of it is settled. */
  close(): Promise<void>;
}

export interface PipelineOptions extends SettleOptions, AskingOptions {
  readonly upstream: Upstream;
  readonly relay: Relay;
  readonly admission: Admission;
  readonly concurrency: ConcurrencyLimiter;
  readonly streamLimit: number;
}

export function createPipeline(options: PipelineOptions): Pipeline {
  const { upstream, relay, admission, clock, disconnectPolicy } = options;
  const background = new Set<Promise<void>>();
  const ask = createAsk(options);

  const begin = async (call: Call, model: string, reservedTokens: number, streamed: boolean) => {
    const { requestId, dialect, principal } = call;
    const permit = await admission.admit({ requestId, dialect, principal, model, reservedTokens });
    return createSettle(call, model, streamed, permit, options);
  };

  const inBackground = (work: Promise<void>) => {
    background.add(work);
    void work.finally(() => background.delete(work));
  };
  const settledStreamOptions = (
    call: Call,
    settle: Settle,
    leave: () => void,
  ): SettledStreamOptions => {
    const hasLeft = () => call.signal.aborted;
    return { settle, hasLeft, leave, drains: disconnectPolicy.drainMs > 0, inBackground };
  };

  const completeAndKeep: Pipeline["completeAndKeep"] = async (call, request, keep) => {
    const settle = await begin(call, request.model, reservedForChat(request), false);
    const completion = await ask(call, settle, (how) => upstream.complete(request, how));
    const settled = settleWhole(call, settle, accountOf(completion));
    const [kept] = await Promise.all([keep(completion), settled]);
    return kept;
  };

  return {
    complete: (call, request) => completeAndKeep(call, request, (completion) => completion),
    completeAndKeep,

    stream: (call, request) =>
      inPlace(call, request.model, options, async (leave) => {
        const settle = await begin(call, request.model, reservedForChat(request), true);
        const events = await ask(call, settle, (how) => upstream.stream(request, how));
        const watch = observeEvents(call.principal, clock);
        return new SettledStream(events, watch, settledStreamOptions(call, settle, leave));
      }),

    relay: (call, { request, model, reservedTokens }) =>
      inPlace(request.streamed ? call : null, model, options, async (leave) => {
        const settle = await begin(call, model, reservedTokens, request.streamed);
        const answer = await ask(call, settle, (how) => relay.send(request, how));
        if (answer.kind === "whole") {
          await settleWhole(call, settle, answer.account);
          leave();
          return answer;
        }
        const watch = observePieces(answer, call.principal, clock);
        const pieces = new SettledStream(
          answer.pieces,
          watch,
          settledStreamOptions(call, settle, leave),
        );
        return { ...answer, pieces };
      }),

    relayUnmetered: (call, request) => ask(call, noRow.settle, (how) => relay.send(request, how)),

    async close() {
      disconnectPolicy.end();
      await Promise.all(background);
    },
  };
}

/** Of what took nothing. */
const noRow = { settle: () => Promise.resolve() };

/** An answer that is there to its end is paid for, also when nobody waits for it any more. */
function settleWhole(call: Call, settle: Settle, account: RelayAccount): Promise<void> {
  return settle(call.signal.aborted ? "canceled" : "completed", { account });
}

/** Starts what holds one of the caller's places for open streams (null: it needs none). */
async function inPlace<T>(
  call: Call | null,
  model: string,
  options: PipelineOptions,
  start: (leave: () => void) => Promise<T>,
): Promise<T> {
  const leave = call === null ? () => undefined : options.concurrency.enter(call.principal.bucket);
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
    details: { limit },
    retryAfterMs,
  });
  if (call !== null) void createSettle(call, model, true, noRow, options)("refused", { error });
  return error;
}
