import { ProxyError, toProxyError } from "./errors.ts";
import type { KeyRing } from "./key-ring.ts";
import type { AnswerEvent, ChatRequest, Completion } from "./messages.ts";
import type { CallObserver, Clock, OpenAnswers, Upstream } from "./ports.ts";
import type { Principal } from "./principal.ts";
import { askWithRetries, type KeySource } from "./retry.ts";
import { createSettle, type Settle } from "./settle.ts";

/** One request on its way, whatever the dialect. */
export interface Call {
  readonly requestId: string;
  readonly dialect: string;
  readonly principal: Principal;
  /** Aborts when the client leaves, or with a ProxyError as its reason when we end the call. */
  readonly signal: AbortSignal;
  /** Is given the record too, for the line that is logged about the request. */
  readonly onRecord: CallObserver;
}

/** What every dialect's question goes through: admit, ask, settle. */
export interface Pipeline {
  complete(call: Call, request: ChatRequest): Promise<Completion>;
  /** Rejects with what went wrong before the first byte; what breaks later is thrown while read. */
  stream(call: Call, request: ChatRequest): Promise<AsyncIterable<AnswerEvent>>;
}

export interface PipelineOptions {
  readonly upstream: Upstream;
  readonly keyRing: KeyRing;
  readonly openAnswers: OpenAnswers;
  readonly streamLimit: number;
  readonly clock: Clock;
  readonly retries: number;
  readonly observe: CallObserver;
}

export function createPipeline(options: PipelineOptions): Pipeline {
  const { upstream, keyRing, openAnswers, streamLimit, clock, retries, observe } = options;

  /** Asks with the right key; what fails is settled and thrown as the caller should see it. */
  const ask = async <T>(
    call: Call,
    settle: Settle,
    attempt: (key: string) => Promise<T>,
  ): Promise<T> => {
    const { principal, signal } = call;
    try {
      return await askWithRetries(keysOf(principal, keyRing), attempt, { clock, signal, retries });
    } catch (thrown) {
      const error = asSeenBy(principal, toProxyError(thrown));
      settle(error.code === "canceled" ? "canceled" : "failed", { error });
      throw error;
    }
  };

  return {
    async complete(call, request) {
      const { signal } = call;
      const settle = createSettle(call, request, false, clock, observe);
      const completion = await ask(call, settle, (key) =>
        upstream.complete(request, { key, signal }),
      );
      settle("completed", { completion });
      return completion;
    },

    async stream(call, request) {
      const { signal, principal } = call;
      const settle = createSettle(call, request, true, clock, observe);
      const leave = openAnswers.enter(principal.bucket);
      if (leave === null) {
        const error = streamsLimited(streamLimit);
        settle("refused", { error });
        throw error;
      }
      try {
        const events = await ask(call, settle, (key) => upstream.stream(request, { key, signal }));
        return watch(events, principal, settle, clock, leave);
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

/** Passes the events on and settles the call, however its reading ends. */
async function* watch(
  events: AsyncIterable<AnswerEvent>,
  principal: Principal,
  settle: Settle,
  clock: Clock,
  leave: () => void,
): AsyncGenerator<AnswerEvent> {
  let firstTokenAtMs: number | undefined;
  try {
    for await (const event of events) {
      if (event.type === "text-delta") firstTokenAtMs ??= clock.monotonicMs();
      if (event.type === "answer-end") {
        settle("completed", { completion: event.completion, firstTokenAtMs });
      }
      yield event;
    }
  } catch (thrown) {
    const error = asSeenBy(principal, toProxyError(thrown));
    settle(error.code === "canceled" ? "canceled" : "interrupted", { error, firstTokenAtMs });
    throw error;
  } finally {
    leave();
    settle("canceled", { firstTokenAtMs });
  }
}

function keysOf(principal: Principal, ring: KeyRing): KeySource {
  if (principal.kind !== "own-key") return { next: (tried) => ring.next(tried), ring };
  return { next: (tried) => (tried.size === 0 ? principal.key : null), ring: null };
}

/** A refused key is the caller's error when it is their own, and ours (text hidden) when it isn't. */
function asSeenBy(principal: Principal, error: ProxyError): ProxyError {
  if (principal.kind === "own-key") return error;
  if (error.code === "key_rejected") return new ProxyError("upstream_key_rejected");
  if (error.code !== "key_exhausted") return error;
  return new ProxyError("upstream_exhausted", { retryAfterMs: error.retryAfterMs });
}

/** Nobody knows when an answer in progress ends; a second is polite. */
const RETRY_STREAM_MS = 1_000;

function streamsLimited(limit: number): ProxyError {
  const retryAfterMs = RETRY_STREAM_MS;
  return new ProxyError("streams_limited", { params: { limit }, facts: { limit }, retryAfterMs });
}
