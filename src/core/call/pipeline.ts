import { type ErrorCode, ProxyError } from "../errors.ts";
import type { ConcurrencyLimiter, Lease } from "../ports.ts";
import {
  type AskOptions,
  isUpload,
  type Relay,
  type RelayAccount,
  type RelayAnswer,
  type RelayRequest,
  type Upstream,
  type WholeAnswer,
} from "../upstream-ports.ts";
import type { Admission, Permit } from "./admission.ts";
import { type AskingOptions, createAsk } from "./ask.ts";
import type { Call } from "./call.ts";
import type { AnswerEvent, ChatRequest, Completion } from "./messages.ts";
import { type ExpectedTokens, expectedOfChat } from "./reserved-tokens.ts";
import { createSettle, type Settle, type SettleOptions } from "./settle.ts";
import { accountOf, observeEvents, observePieces, SettledStream } from "./settled-stream.ts";

/** A request to be relayed, and what admission has to know of it. */
export interface RelayCall {
  readonly request: RelayRequest;
  readonly model: string;
  readonly expected: ExpectedTokens;
  /** Reads a whole answer before the call is settled: what it throws is how the call ends. */
  readonly onWhole?: (answer: WholeAnswer) => void;
}

/** Every dialect's question takes these steps: admit, ask, settle. */
export interface Pipeline {
  complete(call: Call, request: ChatRequest): Promise<Completion>;
  /** Resolves with what `keep` returns; it runs while the row is written, so they can share a commit. */
  completeAndKeep<T>(
    call: Call,
    request: ChatRequest,
    keep: (completion: Completion) => T | Promise<T>,
  ): Promise<T>;
  /** Rejects with failures before the first byte; later ones are thrown while the stream is read. */
  stream(call: Call, request: ChatRequest): Promise<AsyncIterable<AnswerEvent>>;
  /** The same steps for the upstream's own bytes. */
  relay(call: Call, relayed: RelayCall): Promise<RelayAnswer>;
  /** For requests that cost nothing, such as the list of models: no admission, no ledger row. */
  relayUnmetered(call: Call, request: RelayRequest): Promise<RelayAnswer>;
  /** Ends what is still read for clients that left; resolves when all of it is settled. */
  close(): Promise<void>;
}

export interface PipelineOptions extends SettleOptions, AskingOptions {
  readonly upstream: Upstream;
  readonly relay: Relay;
  readonly admission: Admission;
  readonly concurrency: ConcurrencyLimiter;
  /** Open streams per bucket; named in the refusal. */
  readonly streamLimit: number;
}

/** Refusals by other limits than the address's, which gets back what it counted. */
const LIMIT_CODES: ReadonlySet<ErrorCode> = new Set([
  "rate_limited",
  "limits_unavailable",
  "quota_exceeded",
  "streams_limited",
]);

export function createPipeline(options: PipelineOptions): Pipeline {
  const { upstream, relay, clock, disconnectPolicy } = options;
  const background = createBackground();
  const ask = createAsk(options);
  const begin = createBegin(options);

  const streamOptions = (call: Call, settle: Settle, leave: () => void) => {
    const hasLeft = () => call.signal.aborted;
    return {
      settle,
      hasLeft,
      leave,
      drains: disconnectPolicy.drainMs > 0,
      inBackground: background.add,
    };
  };

  const completeAndKeep: Pipeline["completeAndKeep"] = async (call, request, keep) => {
    const settle = await begin(call, request.model, expectedOfChat(request), false);
    const completion = await ask(call, settle, (how) => upstream.complete(request, how));
    const settled = settleWhole(call, settle, accountOf(completion));
    const [kept] = await Promise.all([keep(completion), settled]);
    return kept;
  };
  const stream: Pipeline["stream"] = (call, request) =>
    withLease(call, request.model, options, async (leave, beside) => {
      const settle = await begin(call, request.model, expectedOfChat(request), true, beside);
      const events = await ask(call, settle, (how) => upstream.stream(request, how));
      const observer = observeEvents(call.principal, clock);
      return new SettledStream(events, observer, streamOptions(call, settle, leave));
    });
  const relayed: Pipeline["relay"] = (call, { request, model, expected, onWhole }) =>
    withLease(request.streamed ? call : null, model, options, async (leave, beside) => {
      const settle = await begin(call, model, expected, request.streamed, beside);
      const answer = await ask(call, settle, sending(relay, request, onWhole));
      if (answer.kind === "whole") {
        await settleWhole(call, settle, answer.account);
        leave();
        return answer;
      }
      const observer = observePieces(answer, call.principal, clock);
      const passing = streamOptions(call, settle, leave);
      return { ...answer, pieces: new SettledStream(answer.pieces, observer, passing) };
    });

  return {
    complete: (call, request) => completeAndKeep(call, request, (completion) => completion),
    completeAndKeep,
    stream,
    relay: relayed,
    relayUnmetered: (call, request) =>
      ask(call, noSettle, sending(relay, request), isUpload(request.body) ? 0 : undefined),
    async close() {
      disconnectPolicy.end();
      await background.done();
    },
  };
}

/** Admits a call. Throws the reason if it is refused, also by what is granted beside. */
function createBegin(options: PipelineOptions) {
  return async function begin(
    call: Call,
    model: string,
    expected: ExpectedTokens,
    streamed: boolean,
    beside?: Promise<void>,
  ): Promise<Settle> {
    const { requestId, dialect, principal } = call;
    const asked = { requestId, dialect, principal, model, expected, beside };
    const permit = await options.admission.admit(asked).catch(async (error: unknown) => {
      // where both refuse, the lease's refusal is told
      const reason = beside === undefined ? error : await beside.then(() => error).catch(identity);
      return refused(call, model, streamed, reason, options);
    });
    return createSettle(call, model, streamed, permit, options);
  };
}

function sending(relay: Relay, request: RelayRequest, onWhole?: RelayCall["onWhole"]) {
  const send = (how: AskOptions) => relay.send(request, how);
  if (onWhole === undefined) return send;
  return async (how: AskOptions) => {
    const answer = await send(how);
    if (answer.kind === "whole") onWhole(answer);
    return answer;
  };
}

/** Work that continues after its caller has left. */
function createBackground() {
  const running = new Set<Promise<void>>();
  return {
    add(work: Promise<void>) {
      running.add(work);
      void work.finally(() => running.delete(work));
    },
    done: () => Promise.all(running),
  };
}

const identity = <T>(value: T): T => value;

const noSettle: Settle = () => Promise.resolve();

/** For a call that took nothing. */
const noRow: Permit = {
  used: () => ({ usage: null, provenance: "unknown" }),
  settle: () => Promise.resolve(),
};

/** The usage of a complete answer is recorded even if the client has left. */
function settleWhole(call: Call, settle: Settle, account: RelayAccount): Promise<void> {
  return settle(call.signal.aborted ? "canceled" : "completed", { account });
}

/**
 * Runs `start` while holding a stream lease of the caller (null: none is needed). A lease that is
 * still to be granted travels beside admission: `start` gets a promise that rejects if it is refused.
 */
async function withLease<T>(
  call: Call | null,
  model: string,
  options: PipelineOptions,
  start: (leave: () => void, beside?: Promise<void>) => Promise<T>,
): Promise<T> {
  if (call === null) return start(() => undefined);
  const entering = options.concurrency.enter(call.principal.bucket);
  if (entering instanceof Promise) return besideLease(entering, options, start);
  if (!entering.entered) return refused(call, model, true, streamsLimited(options), options);
  try {
    return await start(entering.leave);
  } catch (error) {
    entering.leave();
    throw error;
  }
}

async function besideLease<T>(
  entering: Promise<Lease>,
  options: PipelineOptions,
  start: (leave: () => void, beside: Promise<void>) => Promise<T>,
): Promise<T> {
  const leave = async () => {
    const lease = await entering;
    if (lease.entered) lease.leave();
  };
  const granted = entering.then(({ entered }) => {
    if (!entered) throw streamsLimited(options);
  });
  // admission may fail without a look at it
  granted.catch(() => undefined);
  try {
    return await start(() => void leave(), granted);
  } catch (error) {
    await leave();
    throw error;
  }
}

/** A refused call is observed but has no ledger row, since it took nothing. Throws the reason. */
async function refused(
  call: Call,
  model: string,
  streamed: boolean,
  error: unknown,
  options: PipelineOptions,
): Promise<never> {
  if (!(error instanceof ProxyError)) throw error;
  if (LIMIT_CODES.has(error.code)) await call.giveBack();
  void createSettle(call, model, streamed, noRow, options)("refused", { error });
  throw error;
}

/** When a stream will end is unknown: clients retry after a second. */
const RETRY_STREAM_MS = 1_000;

function streamsLimited({ streamLimit: limit }: PipelineOptions): ProxyError {
  const about = { limit };
  return new ProxyError("streams_limited", {
    params: about,
    details: about,
    retryAfterMs: RETRY_STREAM_MS,
  });
}
