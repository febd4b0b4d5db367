import { type ErrorCode, ProxyError } from "../errors.ts";
import type { ConcurrencyLimiter } from "../ports.ts";
import type {
  AskOptions,
  Relay,
  RelayAccount,
  RelayAnswer,
  RelayRequest,
  Upstream,
  WholeAnswer,
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
  "quota_exceeded",
  "streams_limited",
]);

export function createPipeline(options: PipelineOptions): Pipeline {
  const { upstream, relay, admission, clock, disconnectPolicy } = options;
  const background = createBackground();
  const ask = createAsk(options);

  const begin = async (call: Call, model: string, expected: ExpectedTokens, streamed: boolean) => {
    const { requestId, dialect, principal } = call;
    const asked = { requestId, dialect, principal, model, expected };
    const permit = await admission
      .admit(asked)
      .catch((error: unknown) => refused(call, model, streamed, error, options));
    return createSettle(call, model, streamed, permit, options);
  };
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
    withLease(call, request.model, options, async (leave) => {
      const settle = await begin(call, request.model, expectedOfChat(request), true);
      const events = await ask(call, settle, (how) => upstream.stream(request, how));
      const observer = observeEvents(call.principal, clock);
      return new SettledStream(events, observer, streamOptions(call, settle, leave));
    });
  const relayed: Pipeline["relay"] = (call, { request, model, expected, onWhole }) =>
    withLease(request.streamed ? call : null, model, options, async (leave) => {
      const settle = await begin(call, model, expected, request.streamed);
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
    relayUnmetered: (call, request) => ask(call, noSettle, (how) => relay.send(request, how)),
    async close() {
      disconnectPolicy.end();
      await background.done();
    },
  };
}

function sending(relay: Relay, request: RelayRequest, onWhole: RelayCall["onWhole"]) {
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

/** Runs `start` while holding a stream lease of the caller (null: none is needed). */
async function withLease<T>(
  call: Call | null,
  model: string,
  options: PipelineOptions,
  start: (leave: () => void) => Promise<T>,
): Promise<T> {
  if (call === null) return start(() => undefined);
  const entering = options.concurrency.enter(call.principal.bucket);
  const lease = entering instanceof Promise ? await entering : entering;
  if (!lease.entered) return refused(call, model, true, streamsLimited(options), options);
  try {
    return await start(lease.leave);
  } catch (error) {
    lease.leave();
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
