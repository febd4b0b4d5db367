import {
  type AskOptions,
  isSentOnce,
  type RelayAccount,
  type RelayAnswer,
  type RelayRequest,
  type WholeAnswer,
} from "../upstream-ports.ts";
import { type AskingOptions, type BegunCall, createAsk } from "./ask.ts";
import { type BeginOptions, createBegin } from "./begin.ts";
import type { Call } from "./call.ts";
import type { AnswerEvent, ChatRequest, Completion } from "./messages.ts";
import { refuseCall } from "./refuse-call.ts";
import { type ExpectedTokens, expectedOfChat } from "./reserved-tokens.ts";
import {
  accountOf,
  observeEvents,
  observePieces,
  SettledStream,
  type StreamObserver,
} from "./settled-stream.ts";
import { type StreamLeaseOptions, withLease } from "./stream-lease.ts";
import type { Target } from "./targets.ts";
import { attemptsFor, noSettle, passUnmetered } from "./unmetered.ts";

/** A request to be relayed, and what admission has to know of it. */
export interface RelayCall {
  readonly request: RelayRequest;
  readonly model: string;
  readonly expected: ExpectedTokens;
  /** The upstream that alone can answer, for example because it made what is asked for. */
  readonly upstream?: string;
  /** Reads a whole answer before the call is settled: what it throws is how the call ends. */
  readonly onWhole?: (answer: WholeAnswer, upstream: string) => void;
}

/** Where a request goes that costs nothing: to whom a model's goes, or to one upstream. */
export interface Unmetered {
  readonly model?: string | undefined;
  readonly upstream?: string | undefined;
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
  relayUnmetered(call: Call, request: RelayRequest, to?: Unmetered): Promise<RelayAnswer>;
  /** Ends what is still read for clients that left; resolves when all of it is settled. */
  close(): Promise<void>;
}

export interface PipelineOptions extends BeginOptions, AskingOptions, StreamLeaseOptions {}

export function createPipeline(options: PipelineOptions): Pipeline {
  const { routing, clock, disconnectPolicy } = options;
  const background = createBackground();
  const ask = createAsk(options);
  const begin = createBegin(options);
  const passed = createPassed(options, background.add);

  const completeAndKeep: Pipeline["completeAndKeep"] = async (call, request, keep) => {
    const { model } = request;
    const begun = await begin(call, { model, expected: expectedOfChat(request), streamed: false });
    const completion = await ask(call, begun, ({ typed, model: named }, how) =>
      typed.complete(naming(request, named), how),
    );
    const settled = settleWhole(call, begun, accountOf(completion));
    const [kept] = await Promise.all([keep(completion), settled]);
    return kept;
  };
  return {
    complete: (call, request) => completeAndKeep(call, request, (completion) => completion),
    completeAndKeep,
    stream: (call, request) =>
      withLease(call, request.model, options, async (leave, beside) => {
        const { model } = request;
        const expected = expectedOfChat(request);
        const begun = await begin(call, { model, expected, streamed: true, beside });
        const events = await ask(call, begun, ({ typed, model: named }, how) =>
          typed.stream(naming(request, named), how),
        );
        return passed(call, begun, leave)(events, observeEvents(call.principal, clock));
      }),
    relay: (call, { request, model, expected, upstream, onWhole }) =>
      withLease(request.streamed ? call : null, model, options, async (leave, beside) => {
        const { streamed } = request;
        const begun = await begin(call, { model, expected, streamed, beside, upstream });
        const answer = await ask(call, begun, sending(request, onWhole), isSentOnce(request));
        if (answer.kind === "whole") {
          await settleWhole(call, begun, answer.account);
          leave();
          return answer;
        }
        const observer = observePieces(answer, call.principal, clock);
        return { ...answer, pieces: passed(call, begun, leave)(answer.pieces, observer) };
      }),
    relayUnmetered: (call, request, to = {}) =>
      withLease(request.streamed ? call : null, "", options, async (leave, beside) => {
        await beside?.catch((refusal) => refuseCall(call, "", true, refusal, options));
        const attempts = await attemptsFor(routing, call.principal, to);
        const begun = { model: to.model ?? "", settle: noSettle, attempts };
        const answer = await ask(call, begun, sending(request), isSentOnce(request));
        return passUnmetered(answer, call, attempts, leave, clock);
      }),
    async close() {
      disconnectPolicy.end();
      await background.done();
    },
  };
}

/** Settles a call while its answer passes, and gives back what it held. */
function createPassed(
  { disconnectPolicy }: PipelineOptions,
  inBackground: (work: Promise<void>) => void,
) {
  const drains = disconnectPolicy.drainMs > 0;
  return (call: Call, { settle, attempts }: BegunCall, leaveStream: () => void) => {
    const hasLeft = () => call.signal.aborted;
    const leave = () => {
      attempts.leave();
      leaveStream();
    };
    const options = { settle, hasLeft, leave, drains, inBackground };
    return <T>(items: AsyncIterable<T>, observer: StreamObserver<T>) =>
      new SettledStream(items, observer, options);
  };
}

/** Sends a request to a target, under its name of the model. */
function sending(request: RelayRequest, onWhole?: RelayCall["onWhole"]) {
  const send = ({ relay, model }: Target, how: AskOptions) =>
    relay.send(model === null ? request : renamed(request, model), how);
  if (onWhole === undefined) return send;
  return async (target: Target, how: AskOptions) => {
    const answer = await send(target, how);
    if (answer.kind === "whole") onWhole(answer, target.upstream);
    return answer;
  };
}

function renamed(request: RelayRequest, model: string): RelayRequest {
  const { named, mayPass = false } = request;
  return named === undefined ? request : { ...named(model), mayPass };
}

/** The same question under the target's name of its model. */
function naming(request: ChatRequest, model: string | null): ChatRequest {
  return model === null ? request : { ...request, model };
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

/** The usage of a complete answer is recorded even if the client has left. */
function settleWhole(
  call: Call,
  { settle, attempts }: BegunCall,
  account: RelayAccount,
): Promise<void> {
  attempts.leave();
  return settle(call.signal.aborted ? "canceled" : "completed", { account });
}
